public import NIOCore

/// How to reach a server, and how long to wait for it.
public struct RedisSettings: Sendable, Equatable {
  public var address: RedisAddress
  /// The ACL user; nil is the server's default user.
  public var user: String?
  public var password: String?
  /// The number of the database.
  public var database: Int

  /// How long a command may take until it fails.
  public var commandTimeout: TimeAmount = .seconds(2)
  /// How long it may take from the name to the end of the greeting.
  public var connectTimeout: TimeAmount = .seconds(2)
  /// The longest first pause before connecting anew is four times this: many nodes lose one server in the same
  /// instant. After each failed attempt it doubles; half of it is chance.
  public var backoffMinimum: TimeAmount = .milliseconds(50)
  public var backoffMaximum: TimeAmount = .seconds(2)

  /// How many commands of one link may wait for their answers.
  public var maximumPending = 16_384
  /// How many bytes the commands may have together that wait on one link.
  public var maximumPendingBytes = 64 << 20
  /// How long a feed may be silent before it counts as lost. It is asked for a sign of life at half of it.
  public var feedSilence: TimeAmount = .seconds(5)
  /// How many names one `SUBSCRIBE` or `UNSUBSCRIBE` holds at most.
  public var feedChunk = 512
  /// How many names may wait for their confirmation; further ones are asked for afterwards.
  public var feedWindow = 8_192
  public var limits = RedisReplyLimits()

  public init(
    address: RedisAddress,
    user: String? = nil,
    password: String? = nil,
    database: Int = 0
  ) {
    self.address = address
    self.user = user
    self.password = password
    self.database = database
  }
}

/// The URL without its password.
extension RedisSettings: CustomStringConvertible {
  public var description: String {
    "redis://\(user.map { "\($0)@" } ?? "")\(address)/\(database)"
  }
}
