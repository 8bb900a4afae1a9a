import NIOCore

@testable import Sessions

/// A whole drain, tick by tick, until it is over, at most an hour.
struct DrainRun {
  static let start = NIODeadline.uptimeNanoseconds(7_000_000_000)

  /// Sessions that leave some time after their goodbye.
  private struct Crowd {
    var untold: Int
    var leaving: [NIODeadline] = []
    let stay: TimeAmount

    var held: Int { untold + leaving.count }

    mutating func tell(_ count: Int, now: NIODeadline) {
      untold -= count
      leaving += Array(repeating: now + stay, count: count)
    }

    mutating func pass(to now: NIODeadline) {
      leaving.removeAll { $0 <= now }
    }
  }

  /// Sessions told, by time since the drain began.
  private(set) var told: [(at: TimeAmount, count: Int)] = []
  private(set) var end: (at: TimeAmount, action: Drain.Action?)?
  private(set) var closed = 0
  private(set) var progress: [Drain.Progress] = []

  /// - Parameters:
  ///   - frozen: when nothing of the process runs.
  ///   - each: is called after each tick.
  init(
    _ sessions: Int,
    window: TimeAmount,
    settle: TimeAmount = .zero,
    stay: TimeAmount = .seconds(1),
    cause: Drain.Cause = .signal,
    acceptable: (TimeAmount) -> Double? = { _ in nil },
    frozen: Range<TimeAmount> = .zero ..< .zero,
    each: (inout Drain, TimeAmount) -> Void = { _, _ in }
  ) {
    let start = DrainRun.start
    var drain = Drain()
    _ = drain.started()
    switch cause {
    case .signal: _ = drain.signalled(window: window, settle: settle, now: start)
    case .command: _ = drain.drainCommanded(window: window, settle: settle, now: start)
    }
    var crowd = Crowd(untold: sessions, stay: stay)
    var elapsed = TimeAmount.zero
    while elapsed < .hours(1) {
      defer { elapsed = elapsed + Drain.tick }
      let now = start + elapsed
      crowd.pass(to: now)
      guard !frozen.contains(elapsed) else { continue }
      var action = drain.ticked(
        now: now,
        held: crowd.held,
        untold: crowd.untold,
        acceptable: acceptable(elapsed)
      )
      if case .sendAway(let count)? = action {
        crowd.tell(count, now: now)
        told.append((elapsed, count))
      }
      if case .closeRemaining? = action {
        closed = crowd.held
        action = drain.remainingClosed(crowd.held)
      }
      if let now = drain.progress { progress.append(now) }
      if drain.state == .drained {
        end = (elapsed, action)
        return
      }
      each(&drain, elapsed)
    }
  }
}
