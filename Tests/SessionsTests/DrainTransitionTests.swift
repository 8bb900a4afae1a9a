import NIOCore
import Testing

@testable import Sessions

/// Every event in every phase.
@Suite struct DrainTransitionTests {
  static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

  enum Place: CaseIterable {
    case starting, ready
    case settlingByCommand, settlingBySignal
    case sendingByCommand, sendingBySignal
    case waitingByCommand, waitingBySignal
    case closingByCommand, closingBySignal
    case drained, leaving, stopped

    private var isByCommand: Bool {
      switch self {
      case .settlingByCommand, .sendingByCommand, .waitingByCommand, .closingByCommand, .drained: true
      default: false
      }
    }

    /// A drain of 100 sessions over 10 s, after 5 s to settle, at this place; and the time there.
    func drain() -> (Drain, NIODeadline) {
      let start = DrainTransitionTests.start
      var drain = Drain()
      if self == .starting { return (drain, start) }
      #expect(drain.started() == .acceptNew)
      if self == .ready { return (drain, start) }
      let action =
        isByCommand
        ? drain.drainCommanded(window: .seconds(10), settle: .seconds(5), now: start)
        : drain.signalled(window: .seconds(10), settle: .seconds(5), now: start)
      #expect(action == .refuseNew)
      if self == .settlingByCommand || self == .settlingBySignal { return (drain, start) }
      if self == .stopped {
        #expect(drain.signalled(window: .seconds(10), settle: .seconds(5), now: start) == .exit(1))
        return (drain, start)
      }
      #expect(drain.ticked(now: start + .seconds(5), held: 100, untold: 100) == .sendAway(1))
      if self == .sendingByCommand || self == .sendingBySignal { return (drain, start + .seconds(5)) }
      var untold = 99
      for tick in 1...100 {
        let now = start + .seconds(5) + Drain.tick * Int64(tick)
        if case .sendAway(let count)? = drain.ticked(now: now, held: 100, untold: untold) { untold -= count }
      }
      #expect(untold == 0)
      if self == .waitingByCommand || self == .waitingBySignal { return (drain, start + .seconds(15)) }
      #expect(drain.ticked(now: start + .seconds(27), held: 3, untold: 0) == .closeRemaining)
      if self == .closingByCommand || self == .closingBySignal { return (drain, start + .seconds(27)) }
      #expect(drain.remainingClosed(3) == (self == .leaving ? .exit(0) : nil))
      return (drain, start + .seconds(27))
    }
  }

  struct Outcome: Equatable {
    var action: Drain.Action?
    var state: NodeState

    init(_ action: Drain.Action?, _ state: NodeState) {
      self.action = action
      self.state = state
    }
  }

  /// What an event changes; everywhere else it leaves the state and returns nothing.
  private func expect(
    _ changes: [Place: Outcome],
    _ event: (inout Drain, NIODeadline) -> Drain.Action?
  ) {
    for place in Place.allCases {
      var (drain, now) = place.drain()
      let expected = changes[place] ?? Outcome(nil, drain.state)
      let action = event(&drain, now)
      #expect(Outcome(action, drain.state) == expected, "\(place)")
    }
  }

  @Test func statesHaveTheirNames() {
    let names = Place.allCases.map { $0.drain().0.state.rawValue }
    #expect(
      names == ["starting", "ready"] + Array(repeating: "draining", count: 8) + [
        "drained", "drained", "stopped",
      ]
    )
  }

  @Test func ticksAreNeededOnlyWhileTimeMatters() {
    let needy = Place.allCases.filter { $0.drain().0.needsTicks }
    #expect(
      needy == [
        .settlingByCommand, .settlingBySignal, .sendingByCommand, .sendingBySignal, .waitingByCommand,
        .waitingBySignal,
      ]
    )
  }

  @Test func started() {
    expect([.starting: Outcome(.acceptNew, .ready)]) { drain, _ in drain.started() }
  }

  @Test func drainCommanded() {
    expect([.ready: Outcome(.refuseNew, .draining)]) { drain, now in
      drain.drainCommanded(window: .seconds(20), settle: .seconds(5), now: now)
    }
  }

  @Test func signalled() {
    let second = Outcome(.exit(1), .stopped)
    expect([
      .starting: Outcome(.exit(0), .drained), .ready: Outcome(.refuseNew, .draining),
      .drained: Outcome(.exit(0), .drained), .settlingBySignal: second, .sendingBySignal: second,
      .waitingBySignal: second, .closingBySignal: second, .leaving: second,
    ]) { drain, now in drain.signalled(window: .seconds(20), settle: .seconds(5), now: now) }
  }

  @Test func undrainRequested() {
    let ready = Outcome(.acceptNew, .ready)
    expect([
      .settlingByCommand: ready, .settlingBySignal: ready, .sendingByCommand: ready, .sendingBySignal: ready,
      .waitingByCommand: ready, .waitingBySignal: ready, .drained: ready,
    ]) { drain, _ in drain.undrainRequested() }
  }

  @Test func undrainRequestedWhileTheLastAreClosed() {
    for place in [Place.closingByCommand, .closingBySignal] {
      var (drain, now) = place.drain()
      #expect(!drain.canServeAgain)
      #expect(drain.undrainRequested() == nil)
      #expect(drain.canServeAgain)
      #expect(drain.remainingClosed(3) == .acceptNew)
      #expect(drain.state == .ready)
      // A drain after it is whole.
      #expect(drain.drainCommanded(window: .seconds(1), settle: .zero, now: now) == .refuseNew)
      now = now + .seconds(1)
      #expect(drain.ticked(now: now, held: 1, untold: 1) == .sendAway(1))
    }
  }

  @Test func aSignalAfterThatStopsAllTheSame() {
    var (drain, now) = Place.closingByCommand.drain()
    #expect(drain.undrainRequested() == nil)
    #expect(drain.signalled(window: .seconds(1), settle: .zero, now: now) == nil)
    #expect(drain.remainingClosed(0) == .exit(0))
    now = now + .seconds(1)
    #expect(drain.ticked(now: now, held: 0, untold: 0) == nil)
  }

  @Test func sessionsThatOutstayAreForced() {
    for place in Place.allCases {
      var (drain, _) = place.drain()
      let before = drain.forced
      drain.sessionsOutstayed(2)
      #expect(drain.forced == before + (drain.state == .draining ? 2 : 0), "\(place)")
    }
  }

  @Test func tickedSoonAfter() {
    let one = Outcome(.sendAway(1), .draining)
    let all = Outcome(.sendAway(99), .draining)
    expect([
      .sendingByCommand: one, .sendingBySignal: one, .waitingByCommand: all, .waitingBySignal: all,
    ]) { drain, now in drain.ticked(now: now + .milliseconds(102), held: 100, untold: 99) }
  }

  @Test func tickedWithNobodyLeft() {
    expect([
      .sendingByCommand: Outcome(nil, .drained), .sendingBySignal: Outcome(.exit(0), .drained),
      .waitingByCommand: Outcome(nil, .drained), .waitingBySignal: Outcome(.exit(0), .drained),
    ]) { drain, now in drain.ticked(now: now + .milliseconds(100), held: 0, untold: 0) }
  }

  @Test func tickedWithNobodyLeftAfterTheSettleTime() {
    expect([
      .settlingByCommand: Outcome(nil, .drained), .settlingBySignal: Outcome(.exit(0), .drained),
      .sendingByCommand: Outcome(nil, .drained), .sendingBySignal: Outcome(.exit(0), .drained),
      .waitingByCommand: Outcome(nil, .drained), .waitingBySignal: Outcome(.exit(0), .drained),
    ]) { drain, now in drain.ticked(now: now + .seconds(5), held: 0, untold: 0) }
  }

  @Test func tickedLongAfter() {
    let all = Outcome(.sendAway(7), .draining)
    let first = Outcome(.sendAway(1), .draining)
    expect([
      .settlingByCommand: first, .settlingBySignal: first, .sendingByCommand: all, .sendingBySignal: all,
      .waitingByCommand: all, .waitingBySignal: all,
    ]) { drain, now in drain.ticked(now: now + .hours(1), held: 7, untold: 7) }
  }

  @Test func tickedLongAfterWithEverybodyTold() {
    let close = Outcome(.closeRemaining, .draining)
    expect([.waitingByCommand: close, .waitingBySignal: close]) { drain, now in
      drain.ticked(now: now + .seconds(12), held: 7, untold: 0)
    }
  }

  @Test func remainingClosed() {
    expect([
      .closingByCommand: Outcome(nil, .drained), .closingBySignal: Outcome(.exit(0), .drained),
    ]) { drain, _ in drain.remainingClosed(2) }
  }

  @Test func aDrainThatWasCalledOffAtItsVeryEndCanBeAskedForAnew() {
    var (drain, now) = Place.closingByCommand.drain()
    #expect(drain.undrainRequested() == nil)
    #expect(drain.canServeAgain)
    #expect(drain.drainCommanded(window: .seconds(10), settle: .seconds(5), now: now) == nil)
    #expect(!drain.canServeAgain)
    #expect(drain.remainingClosed(3) == nil)
    #expect(drain.state == .drained)
  }
}
