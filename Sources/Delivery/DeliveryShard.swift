public import Brokering
public import NIOCore
import Sessions
import Telemetry
public import Wire

/// Everything one event loop delivers: the channels it follows, their last messages, and its subscribers.
///
/// Confined to its loop. Each public method writes all that it causes and then flushes each touched connection
/// once; `awaitsMore` makes that once for several calls.
public final class DeliveryShard {
  private static let givenUpAtOnce = 64
  let loop: any EventLoop
  public private(set) var port: (any BrokerPort)!
  let namespaces: Namespaces
  let settings: DeliverySettings
  let metrics: DeliveryMetrics
  var logs: [ChannelName: ChannelLog] = [:]
  /// Channels that nobody listens to.
  var idle: Set<ChannelName> = []
  var ringWeight = 0
  /// How long the shard has lived.
  var seconds = 0
  private var touched: [Subscriber] = []
  /// Whether more is about to be written, after which there is a flush.
  public var awaitsMore = false
  /// Whether what is delivered now is of one channel: nobody is about to get anything else.
  var isLoneDelivery = false
  /// Called when the cluster may have forgotten who is present.
  public var onPresenceLost: (() -> Void)?
  var scratch = ByteBuffer()
  var compression = Compression()

  public init(
    loop: any EventLoop,
    broker: any Broker,
    namespaces: Namespaces,
    settings: DeliverySettings,
    metrics: DeliveryMetrics
  ) {
    self.loop = loop
    self.namespaces = namespaces
    self.settings = settings
    compression.above = settings.compressAbove
    self.metrics = metrics
    port = broker.makePort(on: loop, receiver: self)
  }

  // MARK: Subscribers

  /// Subscribes to a channel in which the subscriber has no subscription yet.
  ///
  /// `done` is called when the position is known, in this call or later, and before anything of the channel
  /// is written; not at all when the subscriber leaves first. `unavailable` when the log cannot be asked.
  public func subscribe(
    _ subscriber: Subscriber,
    to channel: ChannelName,
    since: Since?,
    hearsPresence: Bool,
    _ done: @escaping (Result<Subscribed, ClientError>) -> Void
  ) {
    if since != nil, logs[channel] == nil { metrics.resumeReads.add() }
    let log = logs[channel] ?? open(channel)
    if log.isEmpty { idle.remove(channel) }
    let subscription = Subscription(subscriber, log, hearsPresence: hearsPresence)
    subscriber.subscriptions.append(subscription)
    log.insert(subscription)
    if hearsPresence {
      log.insertListener(subscription)
      port.hearPresence(of: channel)
    }
    metrics.subscriptions.add(1)
    log.resolvers.append(Resolver(subscription: subscription, since: since, done: done))
    if log.phase != .attaching { resolve(log) }
    flush()
  }

  /// Whether there was such a subscription.
  public func unsubscribe(_ subscriber: Subscriber, from channel: ChannelName) -> Bool {
    guard let index = subscriber.subscriptions.firstIndex(where: { $0.log.channel == channel }) else {
      return false
    }
    end(subscriber.subscriptions.remove(at: index))
    pumpHeldBack(subscriber)
    return true
  }

  /// The connection is gone.
  public func remove(_ subscriber: Subscriber) {
    subscriber.disconnect()
    let subscriptions = subscriber.subscriptions
    subscriber.subscriptions = []
    for subscription in subscriptions { end(subscription) }
  }

  /// Begins to deliver to a subscriber that only held its places until now.
  public func start(_ subscriber: Subscriber) {
    subscriber.isStarted = true
    subscriber.positions = positions(of: subscriber)
    for subscription in subscriber.subscriptions where subscription.state == .behind { begin(subscription) }
    flush()
  }

  /// The connection takes bytes again. It is given what it takes at once: a quick reader takes more as soon as that is
  /// flushed, and has the rest in another turn of the loop.
  public func becameWritable(_ subscriber: Subscriber) {
    guard !subscriber.isPumping else { return goOnLater(subscriber) }
    subscriber.isPumping = true
    pumpAll(subscriber)
    tellMissedPresence(subscriber)
    flush()
    subscriber.isPumping = false
  }

  private func goOnLater(_ subscriber: Subscriber) {
    guard !subscriber.goesOn else { return }
    subscriber.goesOn = true
    loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [weak self, weak subscriber] in
      guard let self, let subscriber else { return }
      subscriber.goesOn = false
      becameWritable(subscriber)
    }
  }

  /// Whether more may be written to it now. Who has no room will be heard of again: by its channel, or after its flush.
  func hasRoom(_ subscriber: Subscriber) -> Bool {
    subscriber.isWritable && subscriber.unflushed < settings.turnBytes
  }

  /// Seconds since the last message in any of a subscriber's channels, as far as the shard has followed them.
  public func quietSeconds(of subscriber: Subscriber) -> Int {
    subscriber.subscriptions.map { seconds - $0.log.activeAt }.min() ?? 0
  }

  /// Writes one event; it leaves with the next flush.
  public func send(_ event: ServerEvent, to subscriber: Subscriber) {
    write(event, to: subscriber)
  }

  /// Flushes every connection that was written to, unless `awaitsMore`.
  public func flush() {
    guard !touched.isEmpty, !awaitsMore else { return }
    let flushed = touched
    touched.removeAll(keepingCapacity: true)
    // Who is touched again before its turn is flushed in its turn.
    for subscriber in flushed {
      subscriber.isTouched = false
      if subscriber.unflushed >= settings.turnBytes { goOnLater(subscriber) }
      subscriber.flush()
    }
  }

  func touch(_ subscriber: Subscriber) {
    guard !subscriber.isTouched else { return }
    subscriber.isTouched = true
    touched.append(subscriber)
  }

  // MARK: Channels

  /// Whether the channel's feed is heard here already.
  public func isFollowing(_ channel: ChannelName) -> Bool { logs[channel] != nil }

  /// The same, and whether the cluster is asked neither for the channel nor for what its log holds.
  public func isSettled(_ channel: ChannelName) -> Bool { logs[channel]?.isAsking == false }

  /// Whether the cluster is being asked for the channel, or for what its log holds; then `done` is called once that has
  /// an end, whoever still waits for it.
  public func isAsking(for channel: ChannelName, until done: @escaping () -> Void) -> Bool {
    guard let log = logs[channel], log.isAsking else { return false }
    log.onAsked.append(done)
    return true
  }

  /// Tells those who wait that the cluster is asked for nothing any more, where that is so.
  func tellAsked(_ log: ChannelLog) {
    guard !log.isAsking || logs[log.channel] !== log else { return }
    let waiting = log.onAsked
    log.onAsked = []
    for done in waiting { done() }
  }

  /// A second has passed: channels that nobody listened to for long enough are given up, rings that nobody
  /// needed are emptied, and now and then every position is checked.
  public func secondPassed() {
    seconds += 1
    if seconds % settings.idleRingSeconds == 0 {
      for log in logs.values where log.ringUsed + settings.idleRingSeconds <= seconds { clearRing(of: log) }
    }
    if seconds % settings.verifySeconds == 0 { verifyAll() }
    var excess = idle.count - settings.lingeringChannels
    var over: [ChannelName] = []
    for channel in idle {
      guard let log = logs[channel] else { continue }
      log.lingering -= 1
      guard log.lingering <= 0 || excess > 0, log.phase == .following else { continue }
      excess -= 1
      over.append(channel)
    }
    giveUp(over[...])
  }

  /// Some at a time, so that whoever is served waits for few. One that somebody has listened to meanwhile is left alone.
  private func giveUp(_ channels: ArraySlice<ChannelName>) {
    for channel in channels.prefix(DeliveryShard.givenUpAtOnce) {
      guard idle.contains(channel), let log = logs[channel], log.phase == .following,
        log.lingering <= 0 || idle.count > settings.lingeringChannels
      else { continue }
      idle.remove(channel)
      close(log)
      port.detach(channel)
      tellAsked(log)
    }
    let rest = channels.dropFirst(DeliveryShard.givenUpAtOnce)
    guard !rest.isEmpty else { return }
    loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [weak self] in self?.giveUp(rest) }
  }

  private func open(_ channel: ChannelName) -> ChannelLog {
    let log = ChannelLog(channel, namespaces[channel], at: seconds)
    logs[channel] = log
    metrics.channels.add(1)
    port.attach(channel) { [weak self] result in self?.attached(log, result) }
    return log
  }

  private func close(_ log: ChannelLog) {
    logs[log.channel] = nil
    metrics.channels.add(-1)
    clearRing(of: log)
  }

  private func attached(_ log: ChannelLog, _ result: Result<LogPosition?, BrokerError>) {
    switch result {
    case .failure(let error):
      close(log)
      idle.remove(log.channel)
      let resolvers = log.resolvers
      log.resolvers = []
      for resolver in resolvers where !resolver.subscription.isEnded {
        resolver.subscription.subscriber.subscriptions.removeAll { $0 === resolver.subscription }
        end(resolver.subscription)
        resolver.done(.failure(ClientError(.unavailable, "the channel's log cannot be reached: \(error)")))
      }
    case .success(let position):
      if let position {
        log.continuity = LogContinuity(position.cursor)
        log.oldest = position.oldest
      }
      log.phase = .following
      if log.mustRepairAgain, position != nil {
        log.mustRepairAgain = false
        repair(log)
      } else {
        let early = log.early
        log.early = []
        take(early, in: log)
      }
      resolve(log)
    }
    tellAsked(log)
    flush()
  }

  private func end(_ subscription: Subscription) {
    guard !subscription.isEnded else { return }
    subscription.isEnded = true
    forgetMissedPresence(subscription)
    let log = subscription.log
    log.remove(subscription)
    if subscription.hearsPresence { log.removeListener(subscription) }
    if subscription.state == .reading { subscription.subscriber.reads -= 1 }
    metrics.subscriptions.add(-1)
    log.resolvers.removeAll { $0.subscription === subscription }
    guard log.isEmpty else { return }
    // All have left, and a log that is given up would never let go of them.
    log.readers = []
    guard logs[log.channel] === log else { return }
    log.lingering = max(settings.lingerSeconds, subscription.subscriber.lingerSeconds)
    idle.insert(log.channel)
  }
}

@available(*, unavailable) extension DeliveryShard: Sendable {}
