public import NIOCore
public import Wire

/// What a node needs of the cluster: one log per channel, a feed of what is appended to it, presence, and the
/// registry of nodes.
///
/// It is made with the namespaces' options. Promises: an answered publish is in the log; the feed of a channel has the order of its log; nothing that
/// a node wrote about its sessions outlives its lease.
public protocol Broker: AnyObject, Sendable {
  /// The door for one event loop. Call it on that loop, once. Everything a port does happens on its loop: its
  /// methods are called there, and there it calls `receiver` and every completion.
  func makePort(on loop: any EventLoop, receiver: any FeedReceiver) -> any BrokerPort

  /// Connects and takes the node's lease. Returns when the node can serve, or throws what an operator can
  /// act on when the settings are wrong (a password refused); an absent server is no error, it is waited for.
  func start() async throws

  /// Gives up the lease and closes. Presence that this node still holds is left to nobody: it is removed first.
  func shutdown() async

  /// Whether publishes and the feed work at the moment.
  var health: BrokerHealth { get }

  /// The time that all nodes agree on.
  var clock: ClusterClock { get }

  /// What has gone wrong so far.
  var metrics: BrokerMetrics { get }

  // MARK: Events

  /// Which events are wanted. Set once, before `start`.
  func note(_ kinds: Set<ClusterEvent.Kind>)

  /// A connection has come, whose end is an event with `detail`, one JSON object.
  func connected(_ holder: HolderID, detail: ByteBuffer)

  /// It is gone.
  func disconnected(_ holder: HolderID)

  /// The oldest events of the cluster, for this node to deliver during `duration`; none while another one does. With a
  /// `limit` of 0 this one gives that up.
  func events(atMost limit: Int, for duration: TimeAmount) async throws(BrokerError) -> [ClusterEvent]

  /// The events were delivered: they are not answered any more.
  func delivered(_ events: [ClusterEvent]) async throws(BrokerError)

  // MARK: Nodes

  /// What every node of the cluster last said of itself, dead ones for a while.
  func nodes() async throws(BrokerError) -> [NodeRecord]

  /// What this node says of itself with each heartbeat from now on: one JSON object.
  func announce(_ state: ByteBuffer)

  /// Who carries out the commands that other nodes send to this one, and answers them. Set once, before `start`.
  func obey(_ carryOut: @escaping @Sendable (ByteBuffer) async -> ByteBuffer)

  /// Sends a command to another living node and waits some seconds for its answer. `unavailable` says why there is
  /// none, and whether the node may have taken the command: one that it has not taken by then it never takes.
  func command(_ command: ByteBuffer, to incarnation: String) async throws(BrokerError) -> ByteBuffer
}

/// A broker that knows no other node, and notes no events.
extension Broker {
  public func note(_ kinds: Set<ClusterEvent.Kind>) {}
  public func connected(_ holder: HolderID, detail: ByteBuffer) {}
  public func disconnected(_ holder: HolderID) {}
  public func delivered(_ events: [ClusterEvent]) async throws(BrokerError) {}

  public func events(
    atMost limit: Int,
    for duration: TimeAmount
  ) async throws(BrokerError) -> [ClusterEvent] { [] }

  public func obey(_ carryOut: @escaping @Sendable (ByteBuffer) async -> ByteBuffer) {}

  public func command(
    _ command: ByteBuffer,
    to incarnation: String
  ) async throws(BrokerError) -> ByteBuffer {
    throw BrokerError(.unavailable, "this node runs alone: it knows no \(incarnation)")
  }
}

/// The cluster as one event loop sees it. Not `Sendable`.
public protocol BrokerPort: AnyObject {
  /// The time by which messages are stamped.
  var clock: ClusterClock { get }

  // MARK: Logs

  /// Appends to the log and sends it over the feed, in one step. Publishes of one port keep their order.
  func publish(_ publication: Publication, _ done: @escaping (Result<Receipt, BrokerError>) -> Void)

  /// Starts the feed of a channel, then reads its position, making the channel's epoch when it has none; the
  /// position of an ephemeral channel is nil, and nothing is stored for it. What the feed brings meanwhile is
  /// given to the receiver as it comes, before or after `done`. Attached counts until `detach`, except when the
  /// answer is an error; a second `attach` of the same channel is a mistake of the caller.
  func attach(_ channel: ChannelName, _ done: @escaping (Result<LogPosition?, BrokerError>) -> Void)

  /// Ends the feed of a channel; the broker lets the subscription linger some seconds.
  func detach(_ channel: ChannelName)

  /// Reads `range` of a log, at most `limit` messages, ascending, and of those only as many as stay within
  /// ``LogPage/dataLimit``, nearest to where the range begins; what is older than the namespace's
  /// `historyTTL` is not held any more. Never makes an epoch for a channel that has none: `position` is nil
  /// then. A range in another epoch than the log's, or beyond its end, answers no messages, and the position.
  func read(
    _ channel: ChannelName,
    _ range: HistoryRange,
    limit: Int,
    _ done: @escaping (Result<LogPage, BrokerError>) -> Void
  )

  /// The positions of several attached channels, and whether each is still the log that it was: `expected` is
  /// the last message the caller has (its cursor and time), and a log that holds another message at that
  /// offset, or ends before it, answers a new epoch, which this call begins (`renewEpoch`).
  func verify(
    _ expected: [(channel: ChannelName, last: MessageMark?)],
    _ done: @escaping (Result<[LogPosition], BrokerError>) -> Void
  )

  /// Begins a new epoch when the present one is still `stale`; held messages are kept, numbered anew from 1.
  /// Answers the position after it.
  func renewEpoch(
    of channel: ChannelName,
    ifStill stale: Epoch,
    _ done: @escaping (Result<LogPosition, BrokerError>) -> Void
  )

  // MARK: Presence

  /// Somebody on this loop hears the joins and leaves of an attached channel; holds until the `detach`. After a
  /// fault the feed brings what was missed of them, and perhaps a join a second time.
  func hearPresence(of channel: ChannelName)

  /// Makes a holder keep `member` present in a channel. The first holder of a member makes a `join` on the
  /// channel's feed. A holder is one connection of this node's incarnation; to repeat it is harmless.
  func join(
    _ channel: ChannelName,
    _ member: Member,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  )

  /// Takes a holder away. The last holder of a member makes a `leave` on the channel's feed.
  func leave(
    _ channel: ChannelName,
    memberID: String,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  )

  // MARK: Users

  /// Counts a connection of a user, who may have `limit` in the whole cluster; whether there was room, and it is counted
  /// until `disconnect`. When the cluster cannot be asked, this node's own connections are all that counts.
  func connect(user: String, limit: Int, _ done: @escaping (Bool) -> Void)

  /// A connection that was counted is gone.
  func disconnect(user: String)

  // MARK: Members

  /// A page of members in the order of their ids, after the member id `after`.
  func members(
    of channel: ChannelName,
    limit: Int,
    after: String?,
    _ done: @escaping (Result<PresencePage, BrokerError>) -> Void
  )
}

extension BrokerPort {
  /// For a broker that counts nobody.
  public func connect(user: String, limit: Int, _ done: @escaping (Bool) -> Void) { done(true) }
  public func disconnect(user: String) {}

  /// For a broker whose feed misses nothing.
  public func hearPresence(of channel: ChannelName) {}
}

/// Takes what the feed brings, on the port's loop.
public protocol FeedReceiver: AnyObject {
  /// All that one read of the feed brought for channels attached on this loop, in order.
  func feedArrived(_ batch: [FeedDelivery])
  /// The feed is cut: nothing is known of attached channels until `feedRestored`.
  func feedLost()
  /// Every attached channel is fed again; positions must be verified now. Presence of this loop's holders must
  /// be joined again where `presenceLost` (the cluster's memory of it may be gone).
  func feedRestored(presenceLost: Bool)
}

/// What the feed brought for one channel.
public struct FeedDelivery: Sendable {
  public var channel: ChannelName
  public var items: [FeedItem]

  public init(channel: ChannelName, items: [FeedItem]) {
    self.channel = channel
    self.items = items
  }
}

/// One thing on a channel's feed.
public enum FeedItem: Sendable {
  case message(Message)
  /// In an ephemeral channel: no cursor.
  case ephemeral(data: ByteBuffer, user: String?, time: Int64)
  case join(Member)
  case leave(Member)
}

/// One publish.
public struct Publication: Sendable {
  public var channel: ChannelName
  /// One JSON value in one line, validated.
  public var data: ByteBuffer
  public var user: String?
  /// The idempotency key: within five minutes of the first, a repeated one answers the first's cursor and
  /// stores nothing.
  public var key: String?

  public init(channel: ChannelName, data: ByteBuffer, user: String? = nil, key: String? = nil) {
    self.channel = channel
    self.data = data
    self.user = user
    self.key = key
  }
}

/// The answer to a publish.
public struct Receipt: Sendable, Equatable {
  /// Nil in an ephemeral channel.
  public var cursor: Cursor?
  /// The key was used before: this is the first publish's cursor.
  public var isRepeated: Bool

  public init(cursor: Cursor?, isRepeated: Bool) {
    self.cursor = cursor
    self.isRepeated = isRepeated
  }
}

/// Where a log stands.
public struct LogPosition: Sendable, Equatable {
  public var epoch: Epoch
  /// The offset of the newest message; 0 in an empty log.
  public var tail: UInt64
  /// The offset of the oldest message held; `tail + 1` when none is.
  public var oldest: UInt64

  public init(epoch: Epoch, tail: UInt64, oldest: UInt64) {
    self.epoch = epoch
    self.tail = tail
    self.oldest = oldest
  }

  public var cursor: Cursor { Cursor(epoch, tail) }
}

/// Some messages of a log, ascending and contiguous, and where the log stood when they were read.
public struct LogPage: Sendable, Equatable {
  /// Bytes that the `data` of a page's messages may have together; one message is a page however large it is.
  public static let dataLimit = 1 << 20

  /// Nil when the channel has no epoch.
  public var position: LogPosition?
  public var messages: [Message]

  public init(position: LogPosition?, messages: [Message]) {
    self.position = position
    self.messages = messages
  }
}

/// What tells one message of a log from another that was given the same offset after a lost write.
public struct MessageMark: Sendable, Equatable {
  public var cursor: Cursor
  public var time: Int64

  public init(cursor: Cursor, time: Int64) {
    self.cursor = cursor
    self.time = time
  }
}

/// One connection that keeps a member present: unique within its node's incarnation.
public struct HolderID: Hashable, Sendable {
  public var serial: UInt64

  public init(serial: UInt64) {
    self.serial = serial
  }
}

/// Whether the cluster can be reached.
public struct BrokerHealth: Sendable, Equatable {
  public var canPublish: Bool
  /// The feed is connected, subscribed and proved alive.
  public var isFed: Bool
  /// For an operator, when something does not work.
  public var problem: String?

  public init(canPublish: Bool, isFed: Bool, problem: String? = nil) {
    self.canPublish = canPublish
    self.isFed = isFed
    self.problem = problem
  }

  public var isReady: Bool { canPublish && isFed }
}

/// What a node says of itself.
public struct NodeRecord: Sendable, Equatable {
  /// Node id, `/`, random start id.
  public var incarnation: String
  /// Whether its lease lasts.
  public var isAlive: Bool
  /// The JSON object of its last heartbeat.
  public var state: ByteBuffer
  /// How long ago that was.
  public var silence: TimeAmount

  public init(incarnation: String, isAlive: Bool, state: ByteBuffer, silence: TimeAmount = .zero) {
    self.incarnation = incarnation
    self.isAlive = isAlive
    self.state = state
    self.silence = silence
  }
}
