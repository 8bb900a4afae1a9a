import Admission
import Delivery
import Framing
import NIOCore
import Telemetry
import Wire

/// What one client may send, and ask for at once.
extension GatewaySocket {
  /// What may be asked of the cluster at once, by weight; then nothing more is read until some of it is answered.
  static let askedAtOnce = 64
  /// A read of a log, or of who is present, has large answers. A channel that nobody here follows takes a subscription
  /// and a script; it weighs until that is done, although the client may have unsubscribed again.
  static let readWeight = 16

  func takes(bytes: Int, on connection: WebSocketConnection<GatewaySocket>) -> Bool {
    takes(meter.bytesArrived(bytes, worker.context.sending, now: worker.entry.eventLoop.now), nil)
  }

  func fragmentsArrived(_ count: Int, on connection: WebSocketConnection<GatewaySocket>) {
    let now = worker.entry.eventLoop.now
    _ = takes(meter.fragmentsArrived(count, worker.context.sending, now: now), nil)
  }

  func takesControl(on connection: WebSocketConnection<GatewaySocket>) -> Bool {
    switch meter.messageArrived(worker.context.sending, now: worker.entry.eventLoop.now) {
    case .accepted: return true
    case .refused(let excess, _):
      worker.context.metrics.over.count(excess)
      return false
    case .offends:
      offended()
      return false
    }
  }

  /// Whether it may be; what may not is answered, and ends the connection of who goes on.
  func takes(_ verdict: SendingMeter.Verdict, _ id: Int64?) -> Bool {
    switch verdict {
    case .accepted: return true
    case .refused(let excess, let wait):
      worker.context.metrics.over.count(excess)
      send(.error(id: id, ClientError(.rateLimited, "too many \(excess)", retryAfterMS: wait)))
      return false
    case .offends:
      offended()
      return false
    }
  }

  private func offended() {
    worker.context.metrics.over.offenders.add()
    send(.error(id: nil, ClientError(.rateLimited, "too much was sent for too long")))
    worker.shard.flush()
    connection?.fail(ErrorCode.rateLimited.rule.closeCode, reason: "rate_limited")
  }

  /// What a question to the backend that decides weighs; nothing where it is not asked.
  func weight(of kind: Question.Kind) -> Int {
    guard let decisions = worker.context.decisions, decisions.decides.contains(kind) else { return 0 }
    return (GatewaySocket.askedAtOnce + decisions.atOnce - 1) / decisions.atOnce
  }

  /// Something was asked of the cluster, or of a backend.
  func begins(_ weight: Int) {
    asked += weight
    if asked >= GatewaySocket.askedAtOnce { connection?.pause() }
  }

  /// It was answered.
  func ends(_ weight: Int) {
    let wasFull = asked >= GatewaySocket.askedAtOnce
    asked -= weight
    if wasFull, asked < GatewaySocket.askedAtOnce { connection?.resume() }
  }

  /// Counts an end that a limit has brought.
  func countLimit(_ end: WebSocketEnd) {
    let over = worker.context.metrics.over
    switch end {
    case .violation(let violation) where violation.closeCode == .tooBig: over.messageSize.add()
    case .slowMessage: over.messageTime.add()
    case .silent: over.silent.add()
    case .violation, .peerClosed, .weClosed, .lost: break
    }
  }
}
