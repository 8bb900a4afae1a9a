public import Logging
public import NIOCore

/// A connection that listens, confined to one event loop: names are subscribed in batches, messages come in
/// batches, and after a loss everything wanted is subscribed again.
public final class RedisFeed {
  public let eventLoop: any EventLoop

  /// All messages of one turn of reading, in order. A name unsubscribed just now may still be among them. Called
  /// for each name only after it was confirmed.
  public var onMessages: (([RedisFeedMessage]) -> Void)?
  /// Names that are subscribed from now on; after a loss, once more.
  public var onConfirmed: (([String]) -> Void)?
  /// Connected, and everything wanted at that moment is confirmed. Messages may come before.
  public var onUp: (() -> Void)?
  /// The connection was lost, or an attempt to make one failed; the next follows by itself.
  public var onDown: ((RedisError) -> Void)?

  /// Connected, perhaps not yet subscribed to everything.
  public var isConnected: Bool { connection.isReady }
  /// Between `onUp` and `onDown`.
  public private(set) var isUp = false
  /// How often a connection was made anew, the first one not counted.
  public var reconnects: Int { max(0, connection.connects - 1) }
  /// Messages received.
  public private(set) var messages = 0
  /// Names wanted.
  public var names: Int { wanted.count }
  /// When the server last sent anything.
  public private(set) var lastHeard = NIODeadline.now()

  private let connection: RedisConnection
  private let settings: RedisSettings
  private var wanted: RedisWantedNames
  private var flushesSoon = false
  private var hasAsked = false
  /// When the server last confirmed something, or was first asked to.
  private var lastConfirmed = NIODeadline.now()
  private var timer: Scheduled<Void>?

  public init(_ settings: RedisSettings, on eventLoop: any EventLoop, logger: Logger) {
    self.settings = settings
    self.eventLoop = eventLoop
    self.wanted = RedisWantedNames(chunk: settings.feedChunk, window: settings.feedWindow)
    self.connection = RedisConnection(
      settings: settings,
      on: eventLoop,
      receiveBuffer: AdaptiveRecvByteBufferAllocator(minimum: 16_384, initial: 65_536, maximum: 262_144),
      logger: logger
    )
    connection.owner = self
  }

  /// Connects, on the loop. Set the callbacks before. A feed is used once: after `close` it stays closed.
  public func start() {
    connection.start()
  }

  /// Wants names, on the loop. `onConfirmed` follows for each that was not wanted before. All that is asked in
  /// one turn of the loop leaves in one write, in as few commands as possible.
  public func subscribe(_ names: [String]) {
    eventLoop.preconditionInEventLoop()
    for name in names { wanted.want(name) }
    flushSoon()
  }

  /// Wants names no longer, on the loop.
  public func unsubscribe(_ names: [String]) {
    eventLoop.preconditionInEventLoop()
    for name in names { wanted.unwant(name) }
    flushSoon()
  }

  /// Whether a name is wanted, and confirmed on the present connection.
  public func isConfirmed(_ name: String) -> Bool {
    wanted.isConfirmed(name)
  }

  /// Gives the present connection up and makes another, when the caller knows that it is deaf.
  public func reconnect(because reason: String) {
    eventLoop.preconditionInEventLoop()
    connection.drop(.connectionLost(reason))
  }

  /// Closes for good, on the loop, without a further callback. The answer is done when the socket is gone.
  @discardableResult
  public func close() -> EventLoopFuture<Void> {
    eventLoop.preconditionInEventLoop()
    isUp = false
    stopTimer()
    return connection.close()
  }

  private func flushSoon() {
    guard !flushesSoon, connection.isReady else { return }
    flushesSoon = true
    eventLoop.assumeIsolated().execute {
      self.flushesSoon = false
      self.flush()
    }
  }

  private func flush() {
    guard connection.isReady else { return }
    var bytes = ByteBuffer()
    if !wanted.isAwaiting { lastConfirmed = .now() }
    for request in wanted.takeRequests() {
      let command = request.subscribes ? "SUBSCRIBE" : "UNSUBSCRIBE"
      let names = request.names.map { RedisArgument.string($0) }
      _ = connection.format([.string(command)] + names, into: &bytes)
    }
    if bytes.readableBytes > 0 { connection.write(bytes) }
    checkUp()
  }

  private func checkUp() {
    guard !isUp, connection.isReady, wanted.isResumed else { return }
    isUp = true
    onUp?()
  }

  private func stopTimer() {
    timer?.cancel()
    timer = nil
  }

  /// Set for half of the silence allowed after the last sign of life, then for all of it.
  private func armTimer() {
    let silence = settings.feedSilence
    let half = TimeAmount.nanoseconds(silence.nanoseconds / 2)
    let deadline = lastHeard + (hasAsked ? silence : half)
    timer = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
      self?.timerFired()
    }
  }

  private func timerFired() {
    let silent = NIODeadline.now() - lastHeard
    if silent >= settings.feedSilence {
      let seconds = Double(settings.feedSilence.nanoseconds) / 1e9
      return connection.drop(.timeout("the feed from \(settings.address) was silent for \(seconds) s"))
    }
    if wanted.isAwaiting, NIODeadline.now() - lastConfirmed >= settings.feedSilence {
      return connection.drop(.timeout("\(settings.address) does not confirm subscriptions"))
    }
    if !hasAsked, silent.nanoseconds >= settings.feedSilence.nanoseconds / 2 {
      hasAsked = true
      var bytes = ByteBuffer()
      _ = connection.format(["PING"], into: &bytes)
      connection.write(bytes)
    }
    armTimer()
  }
}

extension RedisFeed: RedisConnectionOwner {
  func connectionBegan() {}

  func connectionReady() {
    lastHeard = .now()
    hasAsked = false
    wanted.linkUp()
    armTimer()
    flush()
  }

  func connectionReceived(_ replies: RedisReplies) {
    lastHeard = .now()
    hasAsked = false
    var replies = replies
    var batch = RedisFeedBatch()
    do throws(RedisError) {
      while !replies.isEmpty { try batch.read(&replies, &wanted) }
    } catch {
      deliver(batch)
      return connection.drop(error)
    }
    deliver(batch)
    if wanted.hasWork { flushSoon() }
    checkUp()
  }

  private func deliver(_ batch: RedisFeedBatch) {
    messages += batch.messages.count
    if batch.answers > 0 { lastConfirmed = .now() }
    if !batch.confirmed.isEmpty { onConfirmed?(batch.confirmed) }
    if !batch.messages.isEmpty { onMessages?(batch.messages) }
  }

  func connectionLost(_ error: RedisError) {
    isUp = false
    stopTimer()
    wanted.linkDown()
    onDown?(error)
  }
}

@available(*, unavailable)
extension RedisFeed: Sendable {}
