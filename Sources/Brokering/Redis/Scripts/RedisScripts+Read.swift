import RedisClient

extension RedisScripts {
  /// Keys: meta, log. Arguments: the seconds messages are held, how many to read, the bytes that their data may
  /// have together, those of the largest message, the kind of range (`newest`, `start`, `since`, `before`), and for the
  /// last two epoch and offset.
  /// Answers epoch, newest offset, oldest offset and the entries, ascending; null when the channel has no epoch.
  static let read = RedisScript(
    log + """
      local meta, log, ttl, kind = KEYS[1], KEYS[2], tonumber(ARGV[1]), ARGV[5]
      local limit, data_limit, largest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
      local at = position(meta, log, ttl)
      if not at then return false end

      -- Some entries at a time, from one end towards the other, until there are enough or their data is too much: as
      -- many as may fit if they are like those before, and never more than a few times too much if they are not.
      local function read(command, from, to, step)
        local fitting = math.floor(data_limit / math.max(largest, 1))
        local most = math.max(4 * fitting, 4)
        local found, bytes, count = {}, 0, math.max(fitting, 1)
        while #found < limit do
          count = math.min(limit - #found, count, most)
          local some = redis.call(command, log, from, to, 'COUNT', count)
          if #some == 0 then break end
          for index, entry in ipairs(some) do
            bytes = bytes + #entry[2][4]
            if #found > 0 and bytes > data_limit then return found end
            found[#found + 1] = entry
          end
          if #some < count then break end
          count = math.max(4, math.floor((data_limit - bytes) * #found / math.max(bytes, 1)))
          from = whole(offset_of(some[#some]) + step) .. '-0'
        end
        return found
      end

      local entries = {}
      local backwards
      local oldest = tonumber(at[3])
      local bottom = whole(oldest) .. '-0'
      if kind == 'newest' then
        backwards = read('XREVRANGE', '+', bottom, -1)
      elseif kind == 'start' then
        entries = read('XRANGE', bottom, '+', 1)
      elseif ARGV[6] == at[1] then
        local tail, offset = tonumber(at[2]), tonumber(ARGV[7])
        if kind == 'since' and offset < tail then
          entries = read('XRANGE', whole(math.max(offset + 1, oldest)) .. '-0', '+', 1)
        elseif kind == 'before' and offset > oldest then
          backwards = read('XREVRANGE', whole(math.min(offset - 1, tail)) .. '-0', bottom, -1)
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
