import Admission
import Brokering
import Delivery
import Framing
import NIOCore
import Telemetry
import Wire

/// One client's event stream, from the answer's head to its end.
final class EventStreamConnection: AgingConnection, TimerWheelRider {
  static let transport = TransportKind.eventStream

  let worker: Worker
  let session: Session
  let subscriber: Subscriber
  let holder: HolderID
  let presence: PresenceWish?
  let heldPlace: HeldPlace?
  var place = -1
  var isTold = false
  var age: ConnectionAge?
  var wheelPlace = TimerWheel.Place()
  /// Who reads it counts the silence, whatever the reason.
  var isByTheWorldsTime: Bool { true }
  private var body: BodyStream?
  private var leftWithDelay = TimeAmount.zero
  private var stall: StallWatch?
  let caller: Caller
  private var tokenClock: TokenClock?

  init(
    worker: Worker,
    session: Session,
    caller: Caller,
    presence: PresenceWish?,
    heldPlace: HeldPlace?,
    isChunked: Bool
  ) {
    self.worker = worker
    self.heldPlace = heldPlace
    self.session = session
    self.caller = caller
    self.presence = presence
    subscriber = Subscriber(.eventStream(isChunked: isChunked), isStarted: false)
    holder = worker.context.holders.next()
  }

  /// It does not begin after all.
  func abandoned() {
    worker.shard.remove(subscriber)
    heldPlace?.giveUp()
  }

  /// Every channel has its position: the stream begins.
  func begin(_ body: BodyStream) {
    self.body = body
    if let context = body.context { subscriber.connect(context, isSecured: worker.entry.isSecured) }
    body.onGone = { [weak self] in self?.ended() }
    body.onWritabilityChanged = { [weak self] in self?.writabilityChanged($0) }
    if presence != nil { subscriber.onTooSlow = { [weak self] in self?.isTooSlow() } }
    worker.hold(self)
    worker.context.metrics.eventStreams.add(1)
    var opening = ByteBuffer()
    EventStreamEncoder.writeRetry(milliseconds: Jitter.streamRetryMS(), into: &opening)
    body.write(opening)
    let heartbeat = Int(worker.context.streamComment.nanoseconds / 1_000_000_000)
    worker.shard.send(
      .welcome(session: session, node: worker.context.node, user: caller.user, heartbeat: heartbeat),
      to: subscriber
    )
    worker.shard.start(subscriber)
    if presence == .join {
      for subscription in subscriber.subscriptions where isOpen {
        worker.presence.join(subscription.channel, session, by: caller, holder: holder)
      }
    }
    // What was written may have found the client gone.
    guard isOpen else { return }
    worker.entry.wheel.arm(self, at: worker.entry.wheel.time + worker.context.streamComment)
    tokenClock = caller.expires.map { TokenClock(expires: $0) { [weak self] in self?.tokenRanOut() } }
    tokenClock?.arm(on: worker.entry.wheel)
  }

  /// The stream says so and ends; who comes back with the same token gets a `401`, which is final to a browser.
  private func tokenRanOut() {
    guard let body else { return }
    worker.context.metrics.expiredTokens.add()
    worker.shard.send(.error(id: nil, TokenFault.expired.error), to: subscriber)
    subscriber.queue()
    body.end()
    ended()
  }

  private func writabilityChanged(_ isWritable: Bool) {
    if stall == nil, let channel = body?.context?.channel {
      stall = StallWatch(channel, wheel: worker.entry.wheel, limit: worker.context.slowReaderLimit) {
        [weak self] in
        self?.isTooSlow()
      }
    }
    stall?.writabilityChanged(isWritable)
    if isWritable { worker.shard.becameWritable(subscriber) }
  }

  private func isTooSlow() {
    worker.context.metrics.tooSlow.add()
    body?.context?.channel.close(promise: nil)
  }

  func timeCame(_ now: NIODeadline) -> NIODeadline? {
    guard let body else { return nil }
    if body.isWritable {
      subscriber.queue()
      var comment = ByteBuffer()
      EventStreamEncoder.writeComment(into: &comment)
      body.write(comment)
      body.flush()
    }
    return isOpen ? now + worker.context.streamComment : nil
  }

  /// A stream has no way to ask for patience: it is told when to come back, and ends.
  func sayGoodbye(reason: String) {
    guard let body else { return }
    let delay = Jitter.streamGoodbyeMS()
    leftWithDelay = .milliseconds(Int64(delay))
    worker.shard.send(.goaway(reason: reason, reconnectAfterMS: delay), to: subscriber)
    subscriber.queue()
    var last = ByteBuffer()
    EventStreamEncoder.writeRetry(milliseconds: delay, into: &last)
    body.write(last)
    body.end()
    ended()
  }

  private var isOpen: Bool { body != nil }

  var isWritable: Bool { body?.isWritable == true }

  /// Cut off, a browser's stream waits out the `retry:` that it began with; sent away, a tenth of a second.
  var leavesFirst: Bool { true }

  func closeNow() {
    body?.end()
    ended()
  }

  /// It does not read: there is no way to tell it anything.
  func closeForRoom() {
    body?.context?.close(promise: nil)
  }

  private func ended() {
    guard body != nil else { return }
    subscriber.disconnect()
    body = nil
    worker.entry.wheel.disarm(self)
    if let tokenClock { worker.entry.wheel.disarm(tokenClock) }
    tokenClock = nil
    stall?.stop()
    worker.release(self)
    worker.context.metrics.eventStreams.add(-1)
    for subscription in subscriber.subscriptions {
      worker.presence.leave(
        subscription.channel,
        holder: holder,
        after: worker.context.presenceGrace + leftWithDelay
      )
    }
    worker.shard.remove(subscriber)
  }
}

@available(*, unavailable) extension EventStreamConnection: Sendable {}
