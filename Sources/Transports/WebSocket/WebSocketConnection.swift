import Framing
import NIOCore
import Wire

/// One WebSocket on the server's side, as the only handler of its channel: frames in and out, pings, the closing
/// handshake, and the end after a violation. What messages mean is its owner's matter.
///
/// Confined to the channel's event loop. While the socket is not writable nothing is read from the peer, so that
/// nobody can make us queue answers it does not take.
final class WebSocketConnection<Owner: WebSocketOwner>: ChannelDuplexHandler, TimerWheelRider {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum Phase {
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
  /// Nil where compression was not agreed to.
  private let inflater: Inflater?
  var wheelPlace = TimerWheel.Place()
  private var decoder: WebSocketDecoder
  private var phase = Phase.open
  /// For who writes ready frames itself, many connections at once; nil once the socket is closed. After the owner
  /// was told of the end nothing may be written to it.
  private(set) var context: ChannelHandlerContext?
  /// When the peer was last heard, by the wheel's coarse clock.
  private var lastHeard: NIODeadline
  /// When the present wait ends: for a pong, for the peer's close frame, or for its end of the connection.
  private var deadline: NIODeadline?
  /// The answer to a ping that came while the socket was not writable; only the last one counts
  /// (RFC 6455 section 5.5.3).
  private var owedPong: ByteBuffer?
  /// When the peer began the message that is not complete.
  private var messageSince = NIODeadline.distantFuture
  /// The owner wants nothing more for now.
  private var isPaused = false
  private var isReading = false
  private var needsFlush = false
  private var holdsRead = false

  init(owner: Owner, settings: WebSocketSettings, wheel: TimerWheel, inflater: Inflater? = nil) {
    self.inflater = inflater
    self.owner = owner
    self.settings = settings
    self.wheel = wheel
    self.decoder = WebSocketDecoder(
      role: .server,
      maximumMessageSize: settings.maximumMessageSize,
      takesCompressed: inflater != nil
    )
    self.lastHeard = wheel.eventLoop.now
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
  func close(_ code: CloseCode, reason: String = "") {
    guard case .open = self.phase else { return }
    self.sendClose(code, reason: reason)
    self.flush()
    self.phase = .closing
    self.wait(self.settings.closeWithin)
    self.owner.closed(self, because: .weClosed(code))
    self.releaseRead()
  }

  /// Nothing more is read, nor taken of what was read, until `resume`.
  func pause() { self.isPaused = true }

  func resume() {
    guard self.isPaused else { return }
    self.isPaused = false
    self.pump()
    if self.needsFlush { self.flush() }
    if !self.isPaused, self.context?.channel.isWritable == true { self.releaseRead() }
  }

  private func send(_ bytes: ByteBuffer) {
    guard let context = self.context else { return }
    self.owner.willWrite(on: self)
    self.needsFlush = true
    context.write(Self.wrapOutboundOut(bytes), promise: nil)
  }

  private func sendClose(_ code: CloseCode?, reason: String = "") {
    var frame = ByteBuffer()
    WebSocketFrame.writeClose(code: code, reason: reason, into: &frame)
    self.send(frame)
  }

  private func sendPong(_ payload: ByteBuffer) {
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
    if case .open = self.phase { self.owner.writabilityChanged(isWritable, on: self) }
    guard isWritable else { return }
    if let payload = self.owedPong, case .open = self.phase {
      self.owedPong = nil
      self.sendPong(payload)
    }
    self.pump()
    if self.needsFlush { self.flush() }
    if context.channel.isWritable, !self.isPaused { self.releaseRead() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { self.leave() }

  func handlerRemoved(context: ChannelHandlerContext) { self.leave() }

  func read(context: ChannelHandlerContext) {
    if case .open = self.phase, self.isPaused || !context.channel.isWritable {
      self.holdsRead = true
    } else {
      context.read()
    }
  }

  private func releaseRead() {
    guard self.holdsRead, let context = self.context else { return }
    self.holdsRead = false
    context.read()
  }

  // MARK: inbound frames

  /// Takes events off the decoder while their answers can be sent.
  private func pump() {
    guard !self.isReading else { return }
    self.isReading = true
    defer { self.isReading = false }
    do {
      while self.takesEvents, let event = try self.decoder.next() { try self.take(event) }
    } catch {
      self.fail(error)
    }
  }

  /// A message that never ends would hold its memory for ever.
  private func checkPatience() {
    guard case .open = self.phase, self.takesEvents, self.decoder.isInsideMessage else {
      self.messageSince = .distantFuture
      return
    }
    if self.messageSince == .distantFuture {
      self.messageSince = self.lastHeard
    } else if self.lastHeard - self.messageSince > self.settings.messageWithin {
      self.close(.policy, reason: "a message took too long to arrive")
    }
  }

  private var takesEvents: Bool {
    switch self.phase {
    case .open: !self.isPaused && self.context?.channel.isWritable == true
    case .closing: true
    case .lingering, .gone: false
    }
  }

  private func take(_ event: WebSocketDecoder.Event) throws(WebSocketViolation) {
    switch event {
    case .message(let kind, let payload):
      self.messageSince = .distantFuture
      if case .open = self.phase { self.owner.messageArrived(kind, payload, on: self) }
    case .compressed(let kind, let payload):
      self.messageSince = .distantFuture
      if case .open = self.phase { try self.inflate(kind, payload) }
    case .ping(let payload):
      guard case .open = self.phase, self.owner.takesControl(on: self) else { return }
      if self.context?.channel.isWritable == true { self.sendPong(payload) } else { self.owedPong = payload }
    case .pong:
      if case .open = self.phase { _ = self.owner.takesControl(on: self) }
    case .close(let code, let reason):
      self.peerClosed(code, reason: reason)
    }
  }

  private func inflate(
    _ kind: WebSocketDecoder.MessageKind,
    _ payload: ByteBuffer
  ) throws(WebSocketViolation) {
    guard let inflater = self.inflater else { return }
    let message = try inflater.inflate(payload, limit: self.settings.maximumMessageSize)
    var utf8 = UTF8Validator()
    let isText = kind == .binary || message.withUnsafeReadableBytes { utf8.consume($0) } && utf8.isAtBoundary
    guard isText else { throw .badUTF8 }
    self.owner.messageArrived(kind, message, on: self)
  }

  /// Section 5.5.1: a close frame is answered by one with the same code, then the connection ends.
  private func peerClosed(_ code: CloseCode?, reason: String) {
    let wasOpen = self.isOpen
    if wasOpen { self.sendClose(code) }
    self.linger()
    if wasOpen { self.owner.closed(self, because: .peerClosed(code: code, reason: reason)) }
  }

  /// Section 7.1.7: the peer is told why, and nothing more of it is looked at.
  private func fail(_ violation: WebSocketViolation) {
    let wasOpen = self.isOpen
    if wasOpen { self.sendClose(violation.closeCode, reason: violation.reason) }
    self.linger()
    if wasOpen { self.owner.closed(self, because: .violation(violation)) }
  }

  // MARK: time and the end

  private func wait(_ amount: TimeAmount) {
    let deadline = self.wheel.eventLoop.now + amount
    self.deadline = deadline
    self.wheel.arm(self, at: deadline)
  }

  func timeCame(_ now: NIODeadline) -> NIODeadline? {
    switch self.phase {
    case .open:
      return self.checkLiveness(now)
    case .closing, .lingering:
      guard let deadline = self.deadline, now < deadline else {
        self.context?.close(promise: nil)
        return nil
      }
      return deadline
    case .gone:
      return nil
    }
  }

  private func checkLiveness(_ now: NIODeadline) -> NIODeadline? {
    guard let pingAfter = self.settings.pingAfter else { return nil }
    // Nothing is read while the socket is not writable, so silence then says nothing about the peer.
    if self.context?.channel.isWritable != true { self.lastHeard = now }
    let pingAt = self.lastHeard + pingAfter
    if now < pingAt {
      self.deadline = nil
      return pingAt
    }
    if let pongBy = self.deadline, self.lastHeard < pongBy - self.settings.pongWithin {
      if now < pongBy { return pongBy }
      self.sendClose(.policy, reason: "no answer to a ping")
      self.linger()
      self.owner.closed(self, because: .silent)
      return self.deadline
    }
    self.send(WebSocketFrame.ping)
    self.flush()
    let pongBy = now + self.settings.pongWithin
    self.deadline = pongBy
    return pongBy
  }

  /// Sends what is written and closes our half. Closing at once would reset the connection if the peer is
  /// still sending, and might take our close frame from it.
  private func linger() {
    guard let context = self.context else { return }
    self.phase = .lingering
    self.decoder = WebSocketDecoder(role: .server, maximumMessageSize: 0)
    self.wait(self.settings.closeWithin)
    self.flush()
    context.close(mode: .output, promise: nil)
    self.releaseRead()
  }

  private func leave() {
    if case .gone = self.phase { return }
    let wasOpen = self.isOpen
    self.phase = .gone
    self.context = nil
    self.owedPong = nil
    self.wheel.disarm(self)
    if wasOpen { self.owner.closed(self, because: .lost) }
  }
}

@available(*, unavailable)
extension WebSocketConnection: Sendable {}
