import RedisClient

/// What is open is a hash for each lease: key → detail, and `#`, the last batch that was noted. A hash for all of them
/// has how many leases hold a key. The queue is a stream of entries with the fields `k` (kind), `t` (ms) and `d` (the
/// detail, JSON). A key is `c:CHANNEL` or `s:INCARNATION/SERIAL`.
extension RedisScripts {
  private static let telling =
    time + """
      local open, counts, queue = KEYS[1], KEYS[2], KEYS[3]
      local most = tonumber(ARGV[2])
      local dropped = 0
      local function tell(kind, detail)
        if redis.call('XLEN', queue) >= most then dropped = dropped + 1 end
        redis.call('XADD', queue, 'MAXLEN', most, '*', 'k', kind, 't', whole(now_ms()), 'd', detail)
      end
      local function is_channel(key) return string.sub(key, 1, 2) == 'c:' end
      local function begin(key, detail)
        if redis.call('HSET', open, key, detail) == 0 then return end
        if redis.call('HINCRBY', counts, key, 1) == 1 and is_channel(key) then
          tell('channel-occupied', detail)
        end
      end
      local function finish(key)
        local detail = redis.call('HGET', open, key)
        if not detail then return end
        redis.call('HDEL', open, key)
        if redis.call('HINCRBY', counts, key, -1) > 0 then return end
        redis.call('HDEL', counts, key)
        tell(is_channel(key) and 'channel-vacated' or 'disconnect', detail)
      end

      """

  /// Arguments: the batch's number, the most events that wait, then keys and details; a detail is empty when it is over.
  /// Answers 1 and how many events had no room, 0 when this was noted before, or -1 when nothing is known of the batches before.
  static let note = RedisScript(
    telling + """
      local number = tonumber(ARGV[1])
      local last = tonumber(redis.call('HGET', open, '#') or '0')
      if number > 1 and last == 0 then return -1 end
      local day = 86400
      redis.call('EXPIRE', open, day)
      redis.call('EXPIRE', counts, day)
      redis.call('EXPIRE', queue, day)
      if number <= last then return 0 end
      redis.call('HSET', open, '#', ARGV[1])
      for index = 3, #ARGV, 2 do
        if ARGV[index + 1] ~= '' then begin(ARGV[index], ARGV[index + 1]) else finish(ARGV[index]) end
      end
      redis.call('EXPIRE', open, day)
      redis.call('EXPIRE', counts, day)
      return 1 + dropped
      """
  )

  /// Ends some of what a lease has left open. Arguments: how many, the most events that wait. Answers how many are left.
  static let sweepNotes = RedisScript(
    telling + """
      local ended = 0
      for index, key in ipairs(redis.call('HKEYS', open)) do
        if key ~= '#' then
          if ended == tonumber(ARGV[1]) then return redis.call('HLEN', open) end
          finish(key)
          ended = ended + 1
        end
      end
      redis.call('DEL', open)
      return 0
      """
  )

  /// Keys: who delivers, and the queue. Arguments: who asks, for how long it is to deliver, how many events, and how old
  /// one may be. Answers how many wait, and the oldest; null to all but the one that delivers. Who asks for none lets
  /// another one deliver.
  static let events = RedisScript(
    time + """
      local deliverer, queue, own = KEYS[1], KEYS[2], ARGV[1]
      local owner = redis.call('GET', deliverer)
      if owner and owner ~= own then return false end
      if ARGV[3] == '0' then
        redis.call('DEL', deliverer)
        return false
      end
      redis.call('SET', deliverer, own, 'PX', ARGV[2])
      redis.call('XTRIM', queue, 'MINID', whole(now_ms() - tonumber(ARGV[4])))
      return { redis.call('XLEN', queue), redis.call('XRANGE', queue, '-', '+', 'COUNT', ARGV[3]) }
      """
  )
}
