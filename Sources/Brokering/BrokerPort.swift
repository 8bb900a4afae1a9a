public import Wire

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
  /// then. A range in another epoch than the log's, or since a cursor beyond its end, answers no messages, and the
  /// position; before a cursor beyond its end is the newest.
  func read(
    _ channel: ChannelName,
    _ range: HistoryRange,
    limit: Int,
    _ done: @escaping (Result<LogPage, BrokerError>) -> Void
  )

  /// The positions of several channels, which get an epoch where they have none, and whether each is still the log that it was: `expected` is
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

/// One connection that keeps a member present: unique within its node's incarnation.
public struct HolderID: Hashable, Sendable {
  public var serial: UInt64

  public init(serial: UInt64) {
    self.serial = serial
  }
}
