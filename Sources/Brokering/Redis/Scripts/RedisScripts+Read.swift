import RedisClient

extension RedisScripts {
  /// Keys: meta, log. Arguments: the seconds messages are held, how many to read, the kind of range (`newest`,
  /// `start`, `since`, `before`), and for the last two epoch and offset. Answers epoch, newest offset, oldest
  /// offset and the entries, ascending; null when the channel has no epoch.
  static let read = RedisScript(
    log + """
      local meta, log, ttl, limit, kind = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[2], ARGV[3]
      local at = position(meta, log, ttl)
      if not at then return false end

      local entries = {}
      local backwards
      if kind == 'newest' then
        backwards = redis.call('XREVRANGE', log, '+', '-', 'COUNT', limit)
      elseif kind == 'start' then
        entries = redis.call('XRANGE', log, '-', '+', 'COUNT', limit)
      elseif ARGV[4] == at[1] then
        local tail, offset = tonumber(at[2]), tonumber(ARGV[5])
        if kind == 'since' and offset < tail then
          entries = redis.call('XRANGE', log, whole(offset + 1) .. '-0', '+', 'COUNT', limit)
        elseif kind == 'before' and offset > 1 and offset <= tail + 1 then
          backwards = redis.call('XREVRANGE', log, whole(offset - 1) .. '-0', '-', 'COUNT', limit)
        end
      end
      if backwards then
        for index = #backwards, 1, -1 do entries[#entries + 1] = backwards[index] end
      end
      at[4] = entries
      return at
      """
  )
}
