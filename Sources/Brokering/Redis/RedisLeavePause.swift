import NIOCore

/// Whether leaves have to wait. After a fault they do for a while: a session may have gone over to another node, which
/// could not join it and is to do that first. Pure.
struct RedisLeavePause {
  private enum Phase {
    case over
    /// Redis is away, or silent.
    case fault
    case returning(until: NIODeadline)
  }

  private let rejoin: TimeAmount
  private var phase = Phase.over

  /// `rejoin` is how long every node has to join its own.
  init(rejoin: TimeAmount) {
    self.rejoin = rejoin
  }

  mutating func redisFailed() {
    phase = .fault
  }

  mutating func redisAnswers(now: NIODeadline) {
    if case .fault = phase { phase = .returning(until: now + rejoin) }
  }

  /// Redis had forgotten everybody; from now on they are joined again.
  mutating func membersReturn(now: NIODeadline) {
    if case .fault = phase { return }
    phase = .returning(until: now + rejoin)
  }

  func isOn(now: NIODeadline) -> Bool {
    switch phase {
    case .over: false
    case .fault: true
    case .returning(let until): now < until
    }
  }
}
