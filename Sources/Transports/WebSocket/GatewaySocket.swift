import Admission
import Brokering
import Delivery
import Framing
import NIOCore
import Telemetry
import Wire

/// One client's WebSocket: its session, its subscriptions, and the answers to its commands.
final class GatewaySocket: WebSocketOwner, AgingConnection {
  static let transport = TransportKind.webSocket

  let worker: Worker
  let session: Session
  private(set) var caller: Caller
  let subscriber = Subscriber(.webSocket, isStarted: true)
  let holder: HolderID
  var place = -1
  var isTold = false
  var age: ConnectionAge?
  weak var connection: WebSocketConnection<GatewaySocket>?
  let heldPlace: HeldPlace?
  private var strikes = Strikes()
  var meter = SendingMeter()
  /// What was asked of the cluster and is not answered, by its weight.
  var asked = 0
  private var farewell: Farewell?
  private var stall: StallWatch?
  private var tokenClock: TokenClock?
  /// Channels whose subscription waits for a backend's word, with the number of the question.
  var asking: [ChannelName: Int] = [:]
  var questions = 0

  init(
    worker: Worker,
    session: Session,
    caller: Caller,
    heldPlace: HeldPlace?,
    compression: CompressionTerms?
  ) {
    if let compression { subscriber.compress(windowBits: compression.serverWindowBits) }
    self.worker = worker
    self.heldPlace = heldPlace
    self.session = session
    self.caller = caller
    holder = worker.context.holders.next()
  }

  func opened(_ connection: WebSocketConnection<GatewaySocket>) {
    self.connection = connection
    if let context = connection.context { subscriber.connect(context, isSecured: worker.entry.isSecured) }
    worker.hold(self)
    worker.context.metrics.webSockets.add(1)
    let heartbeat = Int(worker.context.heartbeat.nanoseconds / 1_000_000_000)
    send(.welcome(session: session, node: worker.context.node, user: caller.user, heartbeat: heartbeat))
    watchToken()
    worker.shard.flush()
  }

  func messageArrived(
    _ kind: WebSocketDecoder.MessageKind,
    _ payload: ByteBuffer,
    on connection: WebSocketConnection<GatewaySocket>
  ) {
    guard case .text = kind else {
      connection.close(.unsupportedData, reason: "messages are JSON text")
      return
    }
    worker.shard.awaitsMore = true
    guard takes(meter.messageArrived(worker.context.sending, now: worker.entry.eventLoop.now), nil) else {
      return
    }
    do {
      let request = try ClientRequest(parsing: payload)
      perform(request.command, id: request.id)
    } catch {
      send(.error(id: error.id, error.error))
      strike()
    }
  }

  func messagesTaken(on connection: WebSocketConnection<GatewaySocket>) {
    worker.shard.awaitsMore = false
    worker.shard.flush()
  }

  /// A mistake that costs: too many end the connection.
  func strike() {
    guard strikes.add(at: worker.entry.wheel.now) else { return }
    worker.context.metrics.over.badMessages.add()
    worker.shard.flush()
    connection?.fail(.policy, reason: "too many bad messages")
  }

  // MARK: Token

  /// The same user shows another token.
  func refreshed(_ caller: Caller) {
    self.caller = caller
    watchToken()
  }

  private func watchToken() {
    if let tokenClock { worker.entry.wheel.disarm(tokenClock) }
    tokenClock = caller.expires.map { TokenClock(expires: $0) { [weak self] in self?.tokenRanOut() } }
    tokenClock?.arm(on: worker.entry.wheel)
  }

  private func tokenRanOut() {
    worker.context.metrics.expiredTokens.add()
    answer(.error(id: nil, TokenFault.expired.error))
    connection?.close(.tokenExpired, reason: "the token has expired")
  }

  func writabilityChanged(_ isWritable: Bool, on connection: WebSocketConnection<GatewaySocket>) {
    watchStall(isWritable)
    if isWritable { worker.shard.becameWritable(subscriber) }
  }

  private func watchStall(_ isWritable: Bool) {
    if stall == nil, let channel = connection?.context?.channel {
      stall = StallWatch(channel, wheel: worker.entry.wheel, limit: worker.context.slowReaderLimit) {
        [weak self] in
        self?.isTooSlow("nothing was read for too long")
      }
    }
    stall?.writabilityChanged(isWritable)
  }

  func isTooSlow(_ reason: String) {
    worker.context.metrics.tooSlow.add()
    connection?.close(.tooSlow, reason: reason)
  }

  func willWrite(on connection: WebSocketConnection<GatewaySocket>) {
    subscriber.queue()
  }

  func closed(_ connection: WebSocketConnection<GatewaySocket>, because reason: WebSocketEnd) {
    countLimit(reason)
    subscriber.disconnect()
    if let farewell { worker.entry.wheel.disarm(farewell) }
    if let tokenClock { worker.entry.wheel.disarm(tokenClock) }
    tokenClock = nil
    stall?.stop()
    worker.release(self)
    worker.context.metrics.webSockets.add(-1)
    let wait = worker.context.presenceGrace + (farewell?.delayLeft ?? .zero)
    for subscription in subscriber.subscriptions {
      worker.presence.leave(subscription.channel, holder: holder, after: wait)
    }
    worker.shard.remove(subscriber)
    farewell = nil
  }

  func send(_ event: ServerEvent) {
    worker.shard.send(event, to: subscriber)
  }

  /// An answer that comes after the turn in which it was asked for.
  func answer(_ event: ServerEvent) {
    send(event)
    worker.shard.flush()
  }

  // MARK: Drain

  func sayGoodbye(reason: String) {
    let delay = Jitter.goodbyeMS()
    send(.goaway(reason: reason, reconnectAfterMS: delay))
    let now = worker.entry.wheel.time
    let farewell = Farewell(self, reason: reason, delay: .milliseconds(Int64(delay)), now: now)
    self.farewell = farewell
    worker.entry.wheel.arm(farewell, at: farewell.closesAt)
  }

  var isWritable: Bool { connection?.isWritable == true }

  /// Who is on its way goes all the same, and closes itself; who is not is left alone.
  func stay() -> Bool {
    guard let farewell else { return true }
    guard farewell.reason == GoodbyeReason.drain else { return false }
    worker.entry.wheel.disarm(farewell)
    self.farewell = nil
    return true
  }

  func closeNow() {
    if farewell?.reason == GoodbyeReason.overload { return closeForRoom() }
    let isOld = farewell?.reason == GoodbyeReason.age
    connection?.close(.drain, reason: isOld ? "the connection has reached its age" : "the node is stopping")
  }

  func closeForRoom() {
    connection?.close(.overload, reason: "the node has too little memory left")
  }
}

/// A goodbye under way: the client has its delay and ten seconds more.
final class Farewell: TimerWheelRider {
  var wheelPlace = TimerWheel.Place()
  let closesAt: NIODeadline
  let reason: String
  private let reconnectsAt: NIODeadline
  private weak var socket: GatewaySocket?

  init(_ socket: GatewaySocket, reason: String, delay: TimeAmount, now: NIODeadline) {
    self.socket = socket
    self.reason = reason
    reconnectsAt = now + delay
    closesAt = reconnectsAt + .seconds(10)
  }

  /// Until the client was asked to come back.
  var delayLeft: TimeAmount {
    max(.zero, reconnectsAt - (socket?.worker.entry.wheel.time ?? reconnectsAt))
  }

  func timeCame(_ now: NIODeadline) -> NIODeadline? {
    if now < closesAt { return closesAt }
    if let socket { socket.worker.close(outstaying: socket, after: reason) }
    return nil
  }
}

@available(*, unavailable) extension GatewaySocket: Sendable {}
@available(*, unavailable) extension Farewell: Sendable {}
