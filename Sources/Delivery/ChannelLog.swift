import Brokering
import Sessions
import Wire

/// A subscribe on its way to its answer.
struct Resolver {
  let subscription: Subscription
  let since: Since?
  /// Whether the log was read for it.
  var isFresh = false
  let done: (Result<Subscribed, ClientError>) -> Void
}

/// One channel as one loop follows it: where its log stands, the last messages, and who wants them.
final class ChannelLog {
  enum Phase {
    /// The broker was asked for the feed and the position.
    case attaching
    /// The feed is followed.
    case following
    /// The log is being read: what the feed brings waits in `early`.
    case repairing
  }

  let channel: ChannelName
  let options: NamespaceOptions
  var phase = Phase.attaching
  /// Nil while attaching, and always in an ephemeral channel.
  var continuity: LogContinuity?
  /// When the newest message was taken (ms since 1970), where that is known.
  var lastTime: Int64?
  /// The oldest offset that the log holds, as far as is known.
  var oldest: UInt64 = 1
  var ring = MessageRing()
  /// When something was last put into the ring, in seconds of the shard.
  var ringUsed = 0
  /// When the last message came, or the channel began to be followed, in seconds of the shard.
  var activeAt: Int

  /// Subscriptions that live messages are written to at once.
  var live: [Subscription] = []
  /// All others.
  var others: [Subscription] = []
  /// Those of them that hear joins and leaves.
  private(set) var listeners: [Subscription] = []
  /// Subscriptions that wait for a read of the log, and whether one is under way.
  var readers: [Subscription] = []
  var isReading = false
  /// Subscribes that are not answered yet, and whether the log is being asked for them.
  var resolvers: [Resolver] = []
  var isResolving = false

  /// Whoever waits until the cluster is asked for nothing that a subscribe needs.
  var onAsked: [() -> Void] = []

  /// Joins and leaves that are told together, a moment later.
  var gathered = PresenceNews()
  /// Joins and leaves that some subscription could not be told, and how many such there are.
  var missed = PresenceNews()
  var missing = 0

  /// What the feed brought while the log is read, and how much of it was there before the read was asked for.
  var early: [FeedItem] = []
  var earlyBeforeRead = 0
  /// The feed was rebuilt while the log was asked: read it once more.
  var mustRepairAgain = false
  /// Seconds left until the feed is given up, when nobody listens.
  var lingering = 0

  init(_ channel: ChannelName, _ options: NamespaceOptions, at seconds: Int) {
    self.channel = channel
    self.options = options
    activeAt = seconds
  }

  /// The mean size of a message's frame in the last page that did not fit into the ring, in bytes.
  var meanRead = 256

  var isEmpty: Bool { live.isEmpty && others.isEmpty && resolvers.isEmpty }

  /// The mean size of a message's frame, as far as it is known, in bytes.
  var meanFrame: Int { ring.isEmpty ? meanRead : ring.meanFrame }

  /// Whether a subscribe waits for the cluster, or may.
  var isAsking: Bool { phase == .attaching || isResolving }

  /// Nil until the position is known. The log may be ahead of the tail known here, and hold nothing as old as
  /// that; what lies beyond the tail is the feed's to bring.
  var view: LogView? {
    continuity.map { continuity in
      let byCount = continuity.tail >= UInt64(options.held) ? continuity.tail - UInt64(options.held) + 1 : 1
      return LogView(
        epoch: continuity.epoch,
        tail: continuity.tail,
        oldest: min(max(oldest, byCount), continuity.tail + 1),
        ringOldest: ring.oldest ?? continuity.tail + 1
      )
    }
  }

  var mark: (cursor: Cursor, time: Int64)? {
    guard let continuity, let lastTime else { return nil }
    return (continuity.cursor, lastTime)
  }

  /// Puts a subscription into the list of the live, or of the others. It is in none.
  func insert(_ subscription: Subscription) {
    if subscription.state == .live {
      subscription.index = live.count
      live.append(subscription)
    } else {
      subscription.index = others.count
      others.append(subscription)
    }
  }

  /// Takes a subscription out of its list; the last of the list takes its place.
  func remove(_ subscription: Subscription) {
    if subscription.state == .live {
      live.swapAt(subscription.index, live.count - 1)
      live[subscription.index].index = subscription.index
      live.removeLast()
    } else {
      others.swapAt(subscription.index, others.count - 1)
      others[subscription.index].index = subscription.index
      others.removeLast()
    }
  }

  func insertListener(_ subscription: Subscription) {
    subscription.listenerIndex = listeners.count
    listeners.append(subscription)
  }

  func removeListener(_ subscription: Subscription) {
    listeners.swapAt(subscription.listenerIndex, listeners.count - 1)
    listeners[subscription.listenerIndex].listenerIndex = subscription.listenerIndex
    listeners.removeLast()
  }

  func change(_ subscription: Subscription, to state: Subscription.State) {
    let moves = (subscription.state == .live) != (state == .live)
    if moves { remove(subscription) }
    if subscription.state == .reading { subscription.subscriber.reads -= 1 }
    if state == .reading { subscription.subscriber.reads += 1 }
    subscription.state = state
    if moves { insert(subscription) }
    if state == .live { subscription.wasLive = true }
  }
}

@available(*, unavailable) extension ChannelLog: Sendable {}
