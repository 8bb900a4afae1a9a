import Framing
import NIOCore
import Wire

/// Time, and the end.
extension WebSocketConnection {
  func wait(_ amount: TimeAmount) {
    let deadline = self.wheel.time + amount
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
    // Nothing is read while the socket is not writable, or the owner wants nothing, so silence then says nothing about
    // the peer.
    if self.isHeldBack { self.lastHeard = now }
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
    guard self.isOpen else { return nil }
    let pongBy = now + self.settings.pongWithin
    self.deadline = pongBy
    return pongBy
  }

  /// Sends what is written and closes our half. Closing at once would reset the connection if the peer is
  /// still sending, and might take our close frame from it.
  func linger() {
    guard let context = self.context else { return }
    self.phase = .lingering
    self.decoder = WebSocketDecoder(role: .server, maximumMessageSize: 0)
    self.wait(self.settings.closeWithin)
    self.flush()
    context.close(mode: .output, promise: nil)
    self.releaseRead()
  }

  func leave() {
    if case .gone = self.phase { return }
    let wasOpen = self.isOpen
    self.phase = .gone
    self.context = nil
    self.owedPong = nil
    self.unread?.left(self)
    self.wheel.disarm(self)
    if wasOpen { self.owner.closed(self, because: .lost) }
  }
}

extension WebSocketConnection: UnreadAnswer {
  var unsentBytes: Int { self.context?.unsentBytes ?? 0 }

  func giveUp() { self.context?.close(promise: nil) }
}
