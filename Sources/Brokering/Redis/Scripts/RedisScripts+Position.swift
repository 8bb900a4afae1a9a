import RedisClient

extension RedisScripts {
  /// Keys: meta, log. Arguments: an epoch in case a new one must begin, the seconds messages are held, and
  /// perhaps the last message known: its epoch, offset and time. Answers epoch, newest and oldest offset.
  static let position = RedisScript(
    log + """
      local meta, log, fresh, ttl = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
      local at = redis.call('HMGET', meta, 'epoch', 'offset')
      local is_other = not at[1]
      if at[1] and at[1] == ARGV[3] then
        if tonumber(at[2]) < tonumber(ARGV[4]) then
          is_other = true
        else
          local entry = redis.call('XRANGE', log, ARGV[4] .. '-0', ARGV[4] .. '-0')[1]
          is_other = entry and entry[2][2] ~= ARGV[5]
        end
      end
      if is_other then begin_epoch(meta, log, fresh, ttl) end
      if redis.call('HGET', meta, 'offset') == '0' then
        -- RedisBrokerSettings.emptyEpochTTL
        redis.call('EXPIRE', meta, 3600)
      else
        keep(meta, ttl)
      end
      return position(meta, log, ttl)
      """
  )

  /// Keys: meta, log. Arguments: the epoch that is to end, the one that is to begin, the seconds messages are
  /// held. Answers the position afterwards, whatever it is.
  static let renewEpoch = RedisScript(
    log + """
      local meta, log, stale, fresh, ttl = KEYS[1], KEYS[2], ARGV[1], ARGV[2], tonumber(ARGV[3])
      local epoch = redis.call('HGET', meta, 'epoch')
      if not epoch or epoch == stale then begin_epoch(meta, log, fresh, ttl) end
      return position(meta, log, ttl)
      """
  )
}
