public import Telemetry

/// What bounds a shard.
public struct DeliverySettings: Sendable, Equatable {
  /// The most that the ring of one channel may cost on one loop, in bytes.
  public var ringBytes = 256 << 10
  /// The most that all rings of one loop may cost, in bytes.
  public var allRingBytes = 64 << 20
  /// Messages in one read of the log, at the most.
  public var readLimit = 1_000
  /// About how many bytes a read for readers that are far behind brings.
  public var readBytes = 128 << 10
  /// For how many of a subscriber's channels the log is read at once: what it has not taken stays where it is.
  public var readsAtOnce: Int32 = 4
  /// About how many bytes are written to one connection before it is flushed and others have their turn, where its channel
  /// does not say that it is full: of events of a stream of several channels, each of which names them all, and of
  /// everything where a handler below takes what it is given until then, as TLS does.
  public var turnBytes = 64 << 10
  /// How many members' joins and leaves a channel keeps for those who do not read them; more, and they are too slow.
  public var missedPresence = 16_384
  /// How long reads of the same log are gathered into one, in milliseconds.
  public var gatherMS: Int64 = 5
  /// How long joins and leaves are gathered where they are told in batches, in milliseconds.
  public var presenceGatherMS: Int64 = 1_000
  /// How long a channel that nobody listens to is still followed, in seconds.
  public var lingerSeconds = 5
  /// How many channels that nobody listens to are followed, at the most: who names ever new ones gets no more.
  public var lingeringChannels = 1_000
  /// How long the ring of a channel in which nothing happens is kept, in seconds.
  public var idleRingSeconds = 60
  /// How often every position is checked against the log, which also keeps the log's epoch alive, in seconds.
  public var verifySeconds = 600
  /// How long after a failed read the log is asked again, in milliseconds.
  public var retryMS: Int64 = 250

  /// From how many bytes on a message is compressed for those who agreed to it.
  public var compressAbove = 1_024

  public init() {}
}

/// What all shards of a node count together.
public struct DeliveryMetrics: Sendable {
  /// Messages written to a subscriber.
  public let deliveries = Counter()
  /// Gaps told.
  public let gaps = Counter()
  /// Messages passed over in `latest` and `ephemeral` channels.
  public let skipped = Counter()
  /// Reads of the log for repair, catching up and resuming.
  public let logReads = Counter()
  /// Subscribes with a position, and how many of them were continued without a gap.
  public let resumes = Counter()
  public let resumed = Counter()
  /// Reads of the store that subscribes with a position have caused: of a log, or of where one stands.
  public let resumeReads = Counter()
  /// Channels followed at the moment.
  public let channels = Gauge()
  public let subscriptions = Gauge()
  /// What the rings cost at the moment, in bytes.
  public let ringBytes = Gauge()

  public init() {}
}
