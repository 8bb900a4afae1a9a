import RedisClient

extension RedisScripts {
  /// Keys: meta, log, and perhaps the idempotency key. Arguments: an epoch in case there is none, how many to
  /// hold, for how many seconds, how many seconds a key lives, the feed, the data, and perhaps the user.
  /// Answers the cursor's text, and 1 when the key was used before.
  static let publish = RedisScript(
    log + """
      local meta, log, key = KEYS[1], KEYS[2], KEYS[3]
      local fresh, held, ttl, key_ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
      local feed, data, user = ARGV[5], ARGV[6], ARGV[7]

      if key then
        local known = redis.call('GET', key)
        if known then return { known, 1 } end
      end

      local epoch = redis.call('HGET', meta, 'epoch')
      if not epoch then
        begin_epoch(meta, log, fresh, ttl)
        epoch = fresh
      end
      local now = now_ms()
      local entry = { 't', whole(now), 'd', data }
      if user then
        entry[5] = 'u'
        entry[6] = user
      end
      local offset = whole(redis.call('HINCRBY', meta, 'offset', 1))
      local added = redis.pcall('XADD', log, 'MAXLEN', '=', held, offset .. '-0', unpack(entry))
      if type(added) == 'table' and added.err then
        -- The log is ahead of the number: one of them was lost.
        begin_epoch(meta, log, fresh, ttl)
        epoch = fresh
        offset = whole(redis.call('HINCRBY', meta, 'offset', 1))
        redis.call('XADD', log, 'MAXLEN', '=', held, offset .. '-0', unpack(entry))
      end
      redis.call('EXPIRE', log, ttl)
      keep(meta, ttl)

      local cursor = epoch .. '.' .. offset
      if key then redis.call('SET', key, cursor, 'EX', key_ttl) end
      local head = 'M' .. epoch .. ' ' .. offset .. ' ' .. whole(now) .. ' ' .. (user and #user or -1)
      redis.call('PUBLISH', feed, head .. '\\n' .. (user or '') .. data)
      return { cursor, 0 }
      """
  )
}
