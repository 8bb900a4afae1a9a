import RedisClient

/// The registry is one hash: lease → `until state`, and `!lease` → the time until which somebody sweeps what a
/// dead lease has left, or `swept`. `!clock` is the time when a node looked last, and the time until which nobody is
/// taken for dead.
extension RedisScripts {
  /// Redis's clock may be set, by hours and in either direction, and Redis may have been frozen: nobody looked for
  /// half a lease, or will only have. Then no lease is judged for as long as nobody looked, at the most for as long
  /// as one lasts; the living renew theirs meanwhile, which takes them a third of that. Afterwards also one is over whose end is too far away to have been said since.
  private static let judging =
    time + """
      local function may_judge(nodes, now, duration)
        local clock = redis.call('HGET', nodes, '!clock')
        local seen, from = string.match(clock or '', '^(%d+) (%d+)$')
        seen, from = tonumber(seen), tonumber(from)
        if not seen or seen - now > duration / 2 then
          from = now + duration
        elseif now - seen > duration / 2 then
          from = now + math.min(duration, now - seen)
        end
        redis.call('HSET', nodes, '!clock', whole(now) .. ' ' .. whole(from))
        return now >= from
      end

      """

  /// Argument: whether the lease is new, the lease, its duration, what the node says of itself, and the probe: a
  /// name and a text published to it. Answers the time, or 0 when the lease is gone or being swept: it is over then.
  static let heartbeat = RedisScript(
    judging + """
      local nodes, is_new, lease = KEYS[1], ARGV[1] == '1', ARGV[2]
      if not is_new then
        if redis.call('HEXISTS', nodes, lease) == 0 then return 0 end
        if redis.call('HEXISTS', nodes, '!' .. lease) == 1 then return 0 end
      end
      local now, duration = now_ms(), tonumber(ARGV[3])
      may_judge(nodes, now, duration)
      redis.call('HSET', nodes, lease, whole(now + duration) .. ' ' .. ARGV[4])
      redis.call('EXPIRE', nodes, 86400)
      redis.call('PUBLISH', ARGV[5], ARGV[6])
      return now
      """
  )

  /// Finds a dead lease that nobody sweeps. Arguments: the own lease, how long a sweep may take, how long a dead
  /// lease is remembered, how long one lasts. Answers the lease, or null.
  static let findDead = RedisScript(
    judging + """
      local nodes, own, now = KEYS[1], ARGV[1], now_ms()
      local sweep_time, duration = tonumber(ARGV[2]), tonumber(ARGV[4])
      if not may_judge(nodes, now, duration) then return false end
      local all = redis.call('HGETALL', nodes)
      local leases, sweeps = {}, {}
      for index = 1, #all, 2 do
        local name, value = all[index], all[index + 1]
        if string.sub(name, 1, 1) == '!' then
          sweeps[string.sub(name, 2)] = value
        else
          leases[name] = tonumber(string.match(value, '^%d+'))
        end
      end
      for lease, til in pairs(leases) do
        local sweep = sweeps[lease]
        if lease ~= own and (til < now or til > now + 10 * duration) then
          if sweep == 'swept' then
            if til < now - tonumber(ARGV[3]) then redis.call('HDEL', nodes, lease, '!' .. lease) end
          elseif not sweep or tonumber(sweep) < now or tonumber(sweep) > now + 2 * sweep_time then
            redis.call('HSET', nodes, '!' .. lease, whole(now + sweep_time))
            return lease
          end
        end
      end
      return false
      """
  )

  /// Ends a lease of which nothing is left. Argument: the lease.
  static let endLease = RedisScript(
    time + """
      local nodes, lease = KEYS[1], ARGV[1]
      local value = redis.call('HGET', nodes, lease)
      if not value then return 0 end
      local til, state = string.match(value, '^(%d+) (.*)$')
      redis.call('HSET', nodes, lease, whole(math.min(tonumber(til), now_ms() - 1)) .. ' ' .. state)
      redis.call('HSET', nodes, '!' .. lease, 'swept')
      redis.call('EXPIRE', nodes, 86400)
      return 1
      """
  )

  /// Answers the time and every lease's name and value.
  static let nodes = RedisScript(
    time + """
      local answer = { whole(now_ms()) }
      local all = redis.call('HGETALL', KEYS[1])
      for index = 1, #all, 2 do
        if string.sub(all[index], 1, 1) ~= '!' then
          answer[#answer + 1] = all[index]
          answer[#answer + 1] = all[index + 1]
        end
      end
      return answer
      """
  )
}
