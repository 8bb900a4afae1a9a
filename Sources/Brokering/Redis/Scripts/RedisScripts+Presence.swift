import RedisClient

/// Presence of one channel is five keys: `presence` (member id → record), `order` (the ids, sorted), `users`
/// (user → how many members), `counts` (member id → how many holders), `holders` (`lease id serial`, sorted, so
/// that one lease's lie together). A record is `since #id #user #info`, a line feed, and the three texts; a
/// length of -1 says that there is none. With an empty name for the feed nothing is published.
extension RedisScripts {
  private static let presence = """
    local presence, order, users, counts, holders = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]

    local function keep(ttl)
      for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, ttl) end
    end

    -- Takes a holder away; with a member's last one goes the member.
    local function drop(holder, id, feed)
      if redis.call('ZREM', holders, holder) == 0 then return 0 end
      if redis.call('HINCRBY', counts, id, -1) > 0 then return 1 end
      redis.call('HDEL', counts, id)
      redis.call('ZREM', order, id)
      local record = redis.call('HGET', presence, id)
      if record then
        redis.call('HDEL', presence, id)
        local id_length, user_length, start = string.match(record, '^%S+ (%S+) (%S+) %S+\\n()')
        if tonumber(user_length) >= 0 then
          local first = start + tonumber(id_length)
          local user = string.sub(record, first, first + tonumber(user_length) - 1)
          if redis.call('HINCRBY', users, user, -1) <= 0 then redis.call('HDEL', users, user) end
        end
        if feed ~= '' then redis.call('PUBLISH', feed, 'L' .. record) end
      end
      return 1
    end

    """

  /// Arguments: member id, holder, feed, and for a join the seconds to keep, record, and perhaps the user. Answers 1
  /// when the holder of a join is new, and when that of a leave was there.
  ///
  /// One script for both: those of one script stay in order also where Redis has lost it. A leave of its own would
  /// overtake the join before it, which has to be sent again then, and the member would stay.
  static let joinOrLeave = RedisScript(
    presence + """
      local id, holder, feed, ttl, record, user = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
      if not ttl then return drop(holder, id, feed) end
      local added = redis.call('ZADD', holders, 'NX', 0, holder)
      if added == 1 and redis.call('HINCRBY', counts, id, 1) == 1 then
        redis.call('HSET', presence, id, record)
        redis.call('ZADD', order, 0, id)
        if user then redis.call('HINCRBY', users, user, 1) end
        if feed ~= '' then redis.call('PUBLISH', feed, 'J' .. record) end
      end
      keep(ttl)
      return added
      """
  )

  /// Takes away holders of a dead lease. Arguments: the lease, how many at most, feed. Answers how many.
  static let sweep = RedisScript(
    presence + """
      local lease = ARGV[1]
      local dead = redis.call('ZRANGEBYLEX', holders, '[' .. lease .. ' ', '(' .. lease .. '!', 'LIMIT', 0, ARGV[2])
      for _, holder in ipairs(dead) do drop(holder, string.match(holder, '(%S+) %d+$'), ARGV[3]) end
      return #dead
      """
  )

  /// Arguments: how many, and perhaps the id after which. Answers the members, the users, and the records: one
  /// more than asked for when there are more.
  static let members = RedisScript(
    presence + """
      local from = ARGV[2] and '(' .. ARGV[2] or '-'
      local ids = redis.call('ZRANGEBYLEX', order, from, '+', 'LIMIT', 0, tonumber(ARGV[1]) + 1)
      local records = {}
      if #ids > 0 then records = redis.call('HMGET', presence, unpack(ids)) end
      return { redis.call('ZCARD', order), redis.call('HLEN', users), records }
      """
  )

  /// Arguments: the seconds to keep everything for.
  static let keepPresence = RedisScript(presence + "keep(ARGV[1])")
}
