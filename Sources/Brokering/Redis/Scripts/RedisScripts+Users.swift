import RedisClient

extension RedisScripts {
  /// Key: a user's connections, node → count. Arguments: the own node, its count, how many the user may have, how long
  /// it is kept, and the nodes that live, as far as they are known. Without a limit (0) it is only written; -1 besides
  /// takes out what dead nodes have left. Answers 1, or 0 when there would be too many, and nothing is written.
  static let users = RedisScript(
    """
    local key, own, count, limit = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
    local living, total = {}, count
    for index = 5, #ARGV do living[ARGV[index]] = true end
    local all = redis.call('HGETALL', key)
    for index = 1, #all, 2 do
      if all[index] ~= own then
        if #ARGV < 5 or living[all[index]] then
          total = total + tonumber(all[index + 1])
        elseif limit < 0 then
          redis.call('HDEL', key, all[index])
        end
      end
    end
    if limit > 0 and total > limit then return 0 end
    if count > 0 then
      redis.call('HSET', key, own, ARGV[2])
      redis.call('EXPIRE', key, ARGV[4])
    else
      redis.call('HDEL', key, own)
    end
    return 1
    """
  )
}
