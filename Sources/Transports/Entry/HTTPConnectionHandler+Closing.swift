public import NIOCore
import NIOHTTP1
import Telemetry
import Wire

/// Time, and the many ways in which a connection ends.
extension HTTPConnectionHandler {
  func arm(after amount: TimeAmount) {
    let deadline = self.loop.wheel.time + amount
    self.deadline = deadline
    self.loop.wheel.arm(self, at: deadline)
  }

  public func timeCame(_ now: NIODeadline) -> NIODeadline? {
    guard let deadline = self.deadline else { return nil }
    if now < deadline { return deadline }
    switch self.phase {
    case .receiving where self.assembler.isInsideRequest || self.headHasBegun:
      self.countPatience()
      let problem = Problem(.badRequest, "the request took too long to arrive", status: .requestTimeout)
      self.answer(.problem(problem), Exchange())
      return self.deadline
    case .receiving, .flushing:
      self.countPatience()
      self.context?.close(promise: nil)
    case .lingering:
      self.context?.close(promise: nil)
    case .answering, .streaming, .gone:
      break
    }
    return nil
  }

  /// Counts for which of the times the client has taken too long.
  private func countPatience() {
    // Who may not stay was counted for that.
    guard self.refusal == nil else { return }
    let refused = self.loop.refused
    if case .flushing = self.phase {
      refused.idle.add()
    } else if self.assembler.isInsideRequest {
      refused.bodyTime.add()
    } else if self.isIdle, !self.headHasBegun {
      refused.idle.add()
    } else {
      refused.headTime.add()
    }
  }

  func partialHeadArrived() {
    guard case .receiving = self.phase, !self.headHasBegun, self.waiting.isEmpty,
      !self.assembler.isInsideRequest
    else { return }
    self.headHasBegun = true
    self.arm(after: self.loop.limits.headTimeout)
  }

  /// The time for a body runs once it is seen that it has not come with its head.
  func watchBody() {
    guard self.awaitsBody else { return }
    guard self.assembler.isInsideRequest else {
      self.awaitsBody = false
      return
    }
    guard case .receiving = self.phase, self.waiting.isEmpty else { return }
    self.awaitsBody = false
    self.arm(after: self.loop.limits.bodyTimeout)
  }

  func parserFailed(_ failure: ParserFailure) {
    switch self.phase {
    case .receiving, .answering, .streaming:
      if self.failure == nil { self.failure = failure }
      self.refusal = nil
      self.process()
    case .flushing, .lingering, .gone:
      break
    }
  }

  /// The client sends no more; it may still read.
  func clientEnded() {
    self.hasSeenEnd = true
    switch self.phase {
    case .receiving: self.process()
    case .answering(let responder) where responder.onGone == nil: break
    case .answering, .streaming, .lingering: self.context?.close(promise: nil)
    case .flushing, .gone: break
    }
  }

  /// Whether the client leaves in our memory what was written to it.
  var isSlow: Bool { self.context?.channel.isWritable == false }

  func closeIfIdle() {
    guard case .receiving = self.phase, self.waiting.isEmpty, !self.assembler.isInsideRequest else { return }
    self.startClosing()
  }

  /// Sends what is written, then closes our half and lets the client finish.
  func startClosing() {
    guard let context = self.context else { return }
    self.phase = .flushing
    self.waiting.removeAll()
    self.needsFlush = false
    self.arm(after: self.loop.limits.idleTimeout)
    let flushed = context.eventLoop.makePromise(of: Void.self)
    flushed.futureResult.assumeIsolated().whenComplete { _ in self.allIsSent() }
    context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: flushed)
  }

  private func allIsSent() {
    guard case .flushing = self.phase, let context = self.context else { return }
    if self.hasSeenEnd {
      context.close(promise: nil)
      return
    }
    self.phase = .lingering
    self.arm(after: self.loop.limits.lingerTimeout)
    context.close(mode: .output, promise: nil)
  }

  /// The connection is closed, or the pipeline is taken apart.
  func leave() {
    let phase = self.phase
    if case .gone = phase { return }
    self.phase = .gone
    self.deadline = nil
    if let context = self.context { self.letGoOfParser(context) }
    self.context = nil
    self.waiting.removeAll()
    self.loop.unread.left(self)
    self.loop.left(self)
    switch phase {
    case .answering(let responder): responder.clientWent()
    case .streaming(let stream): stream.clientWent()
    case .receiving, .flushing, .lingering, .gone: break
    }
  }
}

extension HTTPConnectionHandler: UnreadAnswer {
  var unsentBytes: Int { self.context?.unsentBytes ?? 0 }

  func giveUp() { self.context?.close(promise: nil) }
}
