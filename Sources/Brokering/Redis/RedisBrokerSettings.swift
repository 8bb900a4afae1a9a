public import Admission
public import NIOCore
public import RedisClient

/// How a cluster's broker behaves.
public struct RedisBrokerSettings: Sendable {
  public var redis: RedisSettings
  /// How often a node renews its lease, and proves that its feed hears.
  public var heartbeat: TimeAmount = .seconds(2)
  /// How long a lease lasts without.
  public var lease: TimeAmount = .seconds(6)
  /// How often a node looks for dead ones.
  public var sweep: TimeAmount = .seconds(1)
  /// How long a probe may take from its publication until the feed brings it.
  public var probe: TimeAmount = .seconds(3)
  /// How long a channel stays subscribed after the last detach.
  public var linger: TimeAmount = .seconds(5)
  /// How many such channels stay subscribed, at the most.
  public var lingeringTopics = 2_000
  /// How long presence is stored without being renewed. Nodes renew theirs four times in this time.
  public var presenceTTL: TimeAmount = .hours(1)
  /// How long after a loss of Redis's memory members may take to be joined again, until they are told to have
  /// left; and how long leaves wait after any fault of Redis.
  public var rejoin: TimeAmount = .seconds(4)
  /// Whether connections of users are counted, for which a node has to know who lives.
  public var countsUsers = true
  /// How long a dead node is listed.
  public var remembersDead: TimeAmount = .minutes(1)

  /// How often the epochs of attached channels are kept on: at least twice in the life of an empty one.
  public var epochKeep: TimeAmount = .minutes(20)
  /// When a connection counts as one that brings no answers.
  public var breaker = CircuitBreaker.Settings()
  /// Bytes of what is asked of a port before its first attempt to connect has had an end.
  public var earlyBytes = 16 << 20

  /// How long a node has to take a command of another one and to answer.
  static let commandTimeout = TimeAmount.seconds(4)
  /// How much longer a command waits, so that who asked is the one to withdraw it.
  static let commandSpare = TimeAmount.seconds(2)
  /// How often it is told meanwhile that a command waits: its feed may have been away.
  static let commandReminder = TimeAmount.milliseconds(500)

  /// How long an idempotency key lives, in seconds.
  static let keyTTL = 300
  /// How long an epoch outlives the last message's time to be held, in seconds.
  static let epochTTL = 86_400
  /// How long the epoch of a log lives to which nothing was ever published, in seconds; while somebody is attached it
  /// is kept on. Who subscribes to ever new names leaves no more than that.
  static let emptyEpochTTL = 3_600
  /// How many epochs, channels with members or users Redis is told anew of at once, unless there are so many that this
  /// would take too long; and how many of the leaves and counts that it could not be told of.
  static let upkeepBatch = 1_000
  /// How many holders of a dead lease one script takes away.
  static let sweepBatch = 500
  /// How long Redis may answer nothing until leaves wait: shorter than the grace of a session that has gone over to
  /// another node, so that its leave is not sent to a Redis that stands still since.
  static let silence = TimeAmount.seconds(1)
  /// How many members one script reads.
  static let rosterPage = 1_000
  /// Positions of channels that each event loop asks for at once. Publishes come behind them on the same connection.
  static let positionsAtOnce = 4...64
  /// How many channels are given up at once. What the loop and Redis do for others comes between.
  static let unsubscribesAtOnce = 64

  public init(redis: RedisSettings) {
    self.redis = redis
  }
}
