import Framing
import NIOCore
import Wire

/// Frames of the peer.
extension WebSocketConnection {
  /// Takes events off the decoder while their answers can be sent, until others have to come first.
  func pump() {
    guard !self.isReading else { return }
    self.isReading = true
    self.turns.begin()
    var (events, isDry) = (0, false)
    do {
      // Who has nothing left waits for nobody.
      while self.takesEvents, !self.decoder.isInsideMessage || self.turns.mayGoOn() {
        guard let event = try self.decoder.next() else {
          isDry = true
          break
        }
        events += 1
        try self.take(event)
      }
      self.countFragments()
    } catch {
      self.fail(error)
    }
    if events > 0 { self.owner.messagesTaken(on: self) }
    self.isReading = false
    // Others come first; or what was written has left just now, and its answers can be sent again.
    if !isDry, self.takesEvents { self.awaitTurn() }
  }

  private func countFragments() {
    let count = self.decoder.fragments
    guard count > 0 else { return }
    self.decoder.fragments = 0
    if case .open = self.phase { self.owner.fragmentsArrived(count, on: self) }
  }

  /// A message that never ends would hold its memory for ever.
  func checkPatience() {
    guard !self.awaitsTurn else { return }
    guard case .open = self.phase, self.takesEvents, self.decoder.isInsideMessage else {
      self.messageSince = .distantFuture
      return
    }
    if self.messageSince == .distantFuture {
      self.messageSince = self.lastHeard
    } else if self.lastHeard - self.messageSince > self.settings.messageWithin {
      self.close(.policy, reason: "a message took too long to arrive", because: .slowMessage)
    }
  }

  private var takesEvents: Bool {
    switch self.phase {
    case .open: !self.isHeldBack
    case .closing: !self.awaitsTurn
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
    // The compressed bytes were counted when they came: in all the message costs what it would have without them.
    let more = message.readableBytes - payload.readableBytes
    if more > 0, !self.owner.takes(bytes: more, on: self) { return }
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
}
