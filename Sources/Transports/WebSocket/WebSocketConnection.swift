import Framing
import NIOCore
import Wire

/// One WebSocket on the server's side, as the only handler of its channel: frames in and out, pings, the closing
/// handshake, and the end after a violation. What messages mean is its owner's matter.
///
/// Confined to the channel's event loop. While the socket is not writable nothing is read from the peer, so that
/// nobody can make us queue answers it does not take.
final class WebSocketConnection<Owner: WebSocketOwner>: ChannelDuplexHandler, TimerWheelRider, TurnTaker {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  enum Phase {
    /// Messages come and go. Goes to `closing` when we close, to `lingering` when the peer does or fails.
    case open
    /// Our close frame is sent and the peer's has not come. Goes to `lingering`.
    case closing
    /// All is said. The peer closes its half, or is cut off after a short time.
    case lingering
    /// The socket is closed.
    case gone
  }

  let owner: Owner
  let settings: WebSocketSettings
  let wheel: TimerWheel
  let turns: SharedTurns
  let unread: UnreadAnswers?
  /// Nil where compression was not agreed to.
  let inflater: Inflater?
  var wheelPlace = TimerWheel.Place()
  var decoder: WebSocketDecoder
  var phase = Phase.open
  /// For who writes ready frames itself, many connections at once; nil once the socket is closed. After the owner
  /// was told of the end nothing may be written to it.
  var context: ChannelHandlerContext?
  /// When the peer was last heard, by the wheel's coarse clock.
  var lastHeard: NIODeadline
  /// When the present wait ends: for a pong, for the peer's close frame, or for its end of the connection.
  var deadline: NIODeadline?
  /// The answer to a ping that came while the socket was not writable; only the last one counts
  /// (RFC 6455 section 5.5.3).
  var owedPong: ByteBuffer?
  /// When the peer began the message that is not complete.
  var messageSince = NIODeadline.distantFuture
  /// The owner wants nothing more for now.
  var isPaused = false
  var isReading = false
  var needsFlush = false
  /// It is left with what was read, until its turn comes.
  var awaitsTurn = false
  /// The peer sends no more, which ends the connection once what it has sent was taken.
  private var hasSeenEnd = false
  private var holdsRead = false

  init(
    owner: Owner,
    settings: WebSocketSettings,
    wheel: TimerWheel,
    turns: SharedTurns,
    unread: UnreadAnswers? = nil,
    inflater: Inflater? = nil
  ) {
    self.inflater = inflater
    self.owner = owner
    self.settings = settings
    self.wheel = wheel
    self.turns = turns
    self.unread = unread
    self.decoder = WebSocketDecoder(
      role: .server,
      maximumMessageSize: settings.maximumMessageSize,
      takesCompressed: inflater != nil
    )
    self.lastHeard = wheel.time
  }

  /// Whether messages can still be sent.
  var isOpen: Bool {
    if case .open = self.phase { true } else { false }
  }

  var isWritable: Bool { self.isOpen && self.context?.channel.isWritable == true }

  // MARK: outbound

  /// Sends ready frames with the next flush; nothing after the connection was closed.
  func write(_ frames: ByteBuffer) {
    guard case .open = self.phase else { return }
    self.send(frames)
  }

  func flush() {
    self.needsFlush = false
    self.context?.flush()
  }

  /// Begins the closing handshake; the owner hears of it at once.
  func close(_ code: CloseCode, reason: String = "", because end: WebSocketEnd? = nil) {
    guard case .open = self.phase else { return }
    self.sendClose(code, reason: reason)
    // The flush may find the socket closed, and then leaves this phase.
    self.phase = .closing
    self.wait(self.settings.closeWithin)
    self.flush()
    self.owner.closed(self, because: end ?? .weClosed(code))
    self.releaseRead()
  }

  /// Ends it with a peer that does not keep to the rules: it is told why, and nothing more of it is looked at
  /// (RFC 6455 section 7.1.7), however much is on its way.
  func fail(_ code: CloseCode, reason: String) {
    guard case .open = self.phase else { return }
    self.sendClose(code, reason: reason)
    self.linger()
    self.owner.closed(self, because: .weClosed(code))
  }

  /// Nothing more is read, nor taken of what was read, until `resume`.
  func pause() { self.isPaused = true }

  func resume() {
    guard self.isPaused else { return }
    self.isPaused = false
    self.awaitTurn()
  }

  func awaitTurn() {
    guard !self.awaitsTurn else { return }
    self.awaitsTurn = true
    self.turns.wait(self)
  }

  func takeTurn() {
    self.awaitsTurn = false
    self.pump()
    self.checkPatience()
    if self.needsFlush { self.flush() }
    guard !self.awaitsTurn else { return }
    if self.hasSeenEnd { self.context?.close(promise: nil) }
    if !self.isOpen || !self.isHeldBack { self.releaseRead() }
  }

  /// Whether nothing of the peer is taken at present.
  var isHeldBack: Bool { self.isPaused || self.awaitsTurn || self.context?.channel.isWritable != true }

  func send(_ bytes: ByteBuffer) {
    guard let context = self.context else { return }
    self.owner.willWrite(on: self)
    self.needsFlush = true
    context.write(Self.wrapOutboundOut(bytes), promise: nil)
    // What was asked for before the first answer was left unread.
    if bytes.readableBytes >= UnreadAnswers.smallest, !context.channel.isWritable {
      self.unread?.writabilityChanged(false, of: self)
    }
  }

  func sendClose(_ code: CloseCode?, reason: String = "") {
    var frame = ByteBuffer()
    WebSocketFrame.writeClose(code: code, reason: reason, into: &frame)
    self.send(frame)
  }

  func sendPong(_ payload: ByteBuffer) {
    var frame = ByteBuffer()
    WebSocketFrame.write(.pong, payload: payload, into: &frame)
    self.send(frame)
  }

  // MARK: channel events

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if let pingAfter = self.settings.pingAfter { self.wheel.arm(self, at: self.lastHeard + pingAfter) }
    self.owner.opened(self)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.lastHeard = self.wheel.now
    let bytes = Self.unwrapInboundIn(data)
    if case .open = self.phase, !self.owner.takes(bytes: bytes.readableBytes, on: self) { return }
    switch self.phase {
    case .open, .closing:
      self.decoder.append(bytes)
      self.pump()
      self.checkPatience()
    case .lingering, .gone:
      break
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if self.needsFlush { self.flush() }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    self.unread?.writabilityChanged(isWritable, of: self)
    if case .open = self.phase { self.owner.writabilityChanged(isWritable, on: self) }
    guard isWritable else { return }
    if let payload = self.owedPong, case .open = self.phase {
      self.owedPong = nil
      self.sendPong(payload)
    }
    self.pump()
    if self.needsFlush { self.flush() }
    if !self.isHeldBack { self.releaseRead() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .inputClosed? = event as? ChannelEvent else { return }
    if self.awaitsTurn { self.hasSeenEnd = true } else { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { self.leave() }

  func handlerRemoved(context: ChannelHandlerContext) { self.leave() }

  func read(context: ChannelHandlerContext) {
    let isHeld =
      switch self.phase {
      case .open: self.isHeldBack
      case .closing: self.awaitsTurn
      case .lingering, .gone: false
      }
    if isHeld { self.holdsRead = true } else { context.read() }
  }

  func releaseRead() {
    guard self.holdsRead, let context = self.context else { return }
    self.holdsRead = false
    context.read()
  }
}

@available(*, unavailable)
extension WebSocketConnection: Sendable {}
