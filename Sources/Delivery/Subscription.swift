import Sessions
public import Wire

/// A subscriber's cursor in one channel. Confined to its loop.
public final class Subscription {
  enum State {
    /// It is not answered yet: the log is being asked.
    case resolving
    /// Everything up to the channel's tail was written; its own cursor does not count.
    case live
    /// It stands at `cursor`, because its connection takes no more, or is not started.
    case behind
    /// It stands at `cursor` and waits for a read of the log.
    case reading
  }

  let subscriber: Subscriber
  let log: ChannelLog
  /// Whether joins and leaves are wanted.
  public let hearsPresence: Bool
  /// From which of its log's missed joins and leaves on it must still be told; nil when there are none.
  var presenceFrom: UInt64?
  var state = State.resolving
  /// Its subscriber has left.
  var isEnded = false
  /// Where it stands in its log's list of live, or of other, subscriptions.
  var index = 0
  /// Where it stands in its log's list of listeners, if it is one.
  var listenerIndex = 0
  /// The last message written, while not live.
  var stored: Cursor?
  /// A gap that is told when the subscriber starts.
  var openingGap: Gap?
  /// Whether it has been live: who falls off the log later was too slow.
  var wasLive = false

  init(_ subscriber: Subscriber, _ log: ChannelLog, hearsPresence: Bool) {
    self.subscriber = subscriber
    self.log = log
    self.hearsPresence = hearsPresence
  }

  public var channel: ChannelName { log.channel }

  /// The last message written; nil in an ephemeral channel.
  public var cursor: Cursor? {
    state == .live ? log.continuity?.cursor : stored
  }
}

@available(*, unavailable) extension Subscription: Sendable {}

/// The answer to a subscribe.
public struct Subscribed: Sendable, Equatable {
  /// Where the stream goes on; nil in an ephemeral channel.
  public var cursor: Cursor?
  /// A position was given, and what follows it is all there.
  public var resumed: Bool

  public init(cursor: Cursor?, resumed: Bool) {
    self.cursor = cursor
    self.resumed = resumed
  }
}
