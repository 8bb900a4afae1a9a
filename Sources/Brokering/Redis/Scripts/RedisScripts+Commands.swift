import RedisClient

extension RedisScripts {
  /// Leaves a command to be taken and says so. Arguments: the command, its time in milliseconds, a name and a text
  /// published to it. Answers how many hear it.
  static let leaveCommand = RedisScript(
    """
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
    return redis.call('PUBLISH', ARGV[3], ARGV[4])
    """
  )

  /// Takes a command, once. Answers it, or null when it was taken or withdrawn, or its time is over.
  static let takeCommand = RedisScript(
    """
    local command = redis.call('GET', KEYS[1])
    if command then redis.call('DEL', KEYS[1]) end
    return command
    """
  )
}
