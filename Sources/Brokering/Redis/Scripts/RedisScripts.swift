import RedisClient

/// The Lua scripts: everything that must happen in one step. Each touches the keys of one channel, or those of
/// the node registry, so that all its keys lie in one slot.
enum RedisScripts {}

extension RedisScripts {
  /// Numbers are formatted by hand, since Lua writes large ones with an exponent.
  static let time = """
    local function whole(number) return string.format('%.0f', number) end
    local function now_ms()
      local time = redis.call('TIME')
      return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    end

    """

  /// What the scripts of a log share. A log is a stream of entries `offset-0` with the fields `t` (ms), `d`
  /// (data) and perhaps `u` (user), in this order; its meta hash has `epoch` and `offset`.
  static let log =
    time + """
      local function offset_of(entry) return tonumber(string.match(entry[1], '^%d+')) end

      -- The oldest entry, or nil.
      local function first(log)
        local info = redis.pcall('XINFO', 'STREAM', log)
        if info.err then return nil end
        for index = 1, #info, 2 do
          if info[index] == 'first-entry' then return info[index + 1] or nil end
        end
      end

      -- Drops what is older than `oldest`; answers the offset of the oldest entry left. Where nothing can be
      -- written (a full disk), it is passed over instead: logs can still be read.
      local function drop_older(log, oldest)
        local head = first(log)
        if not head then return nil end
        if tonumber(head[2][2]) >= oldest then return offset_of(head) end
        local from = '-'
        while true do
          local old = redis.call('XRANGE', log, from, '+', 'COUNT', 100)
          if #old == 0 then return nil end
          for index, entry in ipairs(old) do
            if tonumber(entry[2][2]) >= oldest then
              redis.pcall('XTRIM', log, 'MINID', entry[1])
              return offset_of(entry)
            end
          end
          from = whole(offset_of(old[#old]) + 1) .. '-0'
          redis.pcall('XTRIM', log, 'MINID', from)
        end
      end

      -- The epoch outlives the last message by a day (RedisBrokerSettings.epochTTL).
      local function keep(meta, ttl) redis.pcall('EXPIRE', meta, ttl + 86400) end

      -- Begins an epoch: what is held is numbered anew from 1.
      local function begin_epoch(meta, log, epoch, ttl)
        local held = redis.call('XRANGE', log, '-', '+')
        local left = redis.call('PTTL', log)
        redis.call('DEL', log)
        for index, entry in ipairs(held) do
          redis.call('XADD', log, whole(index) .. '-0', unpack(entry[2]))
        end
        if #held > 0 then redis.call('PEXPIRE', log, left > 0 and whole(left) or whole(ttl * 1000)) end
        redis.call('HSET', meta, 'epoch', epoch, 'offset', whole(#held))
        keep(meta, ttl)
      end

      -- Epoch, newest offset, oldest offset; nothing when there is no epoch.
      local function position(meta, log, ttl)
        local at = redis.call('HMGET', meta, 'epoch', 'offset')
        if not at[1] then return nil end
        local oldest = drop_older(log, now_ms() - ttl * 1000)
        return { at[1], at[2], whole(oldest or tonumber(at[2]) + 1) }
      end

      """
}
