import NIOCore
import Testing

@testable import Sessions

/// Whole drains, tick by tick.
@Suite struct DrainPaceTests {
  private let start = DrainRun.start

  private func seconds(_ amount: TimeAmount) -> Double { Double(amount.nanoseconds) / 1e9 }

  @Test(
    arguments: [1, 2, 3, 10, 99, 1_000, 5_000, 12_345],
    [TimeAmount.seconds(1), .seconds(30), .minutes(5)]
  )
  func everyoneIsToldSteadilyOverTheWindow(_ sessions: Int, _ window: TimeAmount) throws {
    let record = DrainRun(sessions, window: window)
    #expect(record.told.reduce(0) { $0 + $1.count } == sessions)
    let perTick = Double(sessions) / seconds(window) * seconds(Drain.tick)
    var told = 0
    for (time, count) in record.told {
      // The last of this tick is at its place on the line, early by one session, late by one tick at the most.
      let ideal = Double(sessions) * seconds(time) / seconds(window)
      told += count
      #expect(Double(told) <= ideal + 1 + 1e-6)
      #expect(Double(told) >= ideal - perTick - 1)
      #expect(Double(count) <= perTick + 2)
    }
    let last = try #require(record.told.last)
    #expect(last.at == (sessions == 1 ? .zero : window))
    let end = try #require(record.end)
    #expect(end.action == .exit(0))
    #expect(end.at == last.at + .seconds(1))
    #expect(record.closed == 0)
  }

  @Test func nobodyIsToldBeforeTheSettleTime() throws {
    let record = DrainRun(50, window: .seconds(5), settle: .seconds(3))
    #expect(try #require(record.told.first).at == .seconds(3))
    #expect(try #require(record.told.last).at == .seconds(8))
  }

  @Test func withoutAWindowEveryoneIsToldAtOnce() {
    let record = DrainRun(500, window: .zero)
    #expect(record.told.map(\.count) == [500])
  }

  @Test func withoutSessionsTheSettleTimePasses() throws {
    let record = DrainRun(0, window: .seconds(30), settle: .seconds(5))
    #expect(record.told.isEmpty)
    #expect(try #require(record.end).at == .seconds(5))
  }

  @Test func whoStaysIsClosedTwelveSecondsAfterTheLastGoodbye() throws {
    let record = DrainRun(20, window: .seconds(4), stay: .minutes(10))
    #expect(try #require(record.end).at == .seconds(16))
    #expect(record.closed == 20)
    #expect(record.progress.last?.forced == 20)
  }

  @Test func aCommandLeavesTheNodeDrained() throws {
    let record = DrainRun(20, window: .seconds(4), cause: .command)
    #expect(try #require(record.end).action == nil)
  }

  @Test func theWindowStretchesToWhatTheOthersTake() throws {
    let record = DrainRun(1_000, window: .seconds(10), acceptable: { _ in 20 })
    let last = try #require(record.told.last)
    #expect(abs(seconds(last.at) - 50) < 0.3)
    #expect(record.told.allSatisfy { $0.count <= 3 })
  }

  @Test func itDoesNotStretchForWhoCanTakeMore() throws {
    let record = DrainRun(1_000, window: .seconds(10), acceptable: { _ in 1_000 })
    #expect(try #require(record.told.last).at == .seconds(10))
  }

  @Test func itPausesWhileNobodyCanTakeAny() throws {
    let record = DrainRun(
      100,
      window: .seconds(10),
      acceptable: { $0 >= .seconds(4) && $0 < .seconds(9) ? 0 : nil }
    )
    #expect(record.told.allSatisfy { $0.at < .seconds(4) || $0.at >= .seconds(9) })
    #expect(abs(seconds(try #require(record.told.last).at) - 15) <= 0.2)
    #expect(record.told.allSatisfy { $0.count <= 2 })
  }

  /// When the others recover, the drain makes up for it, but not in a storm.
  @Test func whatWasStretchedIsMadeUpForSteadily() throws {
    let record = DrainRun(1_000, window: .seconds(10), acceptable: { $0 < .seconds(5) ? 10 : 5_000 })
    let last = try #require(record.told.last)
    #expect(last.at > .seconds(9) && last.at <= .seconds(11), "\(last.at)")
    // Twice the plan's hundred a second, in ticks of a tenth.
    #expect(record.told.allSatisfy { $0.count <= 21 })
    #expect(record.told.filter { $0.at < .seconds(5) }.reduce(0) { $0 + $1.count } <= 52)
  }

  @Test func aShortDipOfTheOthersDoesNotLengthenADrain() throws {
    let record = DrainRun(
      1_000,
      window: .seconds(10),
      acceptable: { $0 >= .seconds(2) && $0 < .seconds(3) ? 5 : 1_000 }
    )
    #expect(abs(seconds(try #require(record.told.last).at) - 10) < 0.2)
  }

  @Test func itDoesNotWaitForEver() throws {
    let record = DrainRun(100, window: .seconds(10), acceptable: { _ in 0 })
    #expect(try #require(record.told.last).at == .seconds(100))
    let slow = DrainRun(100, window: .seconds(10), acceptable: { _ in 0.001 })
    #expect(try #require(slow.told.last).at == .seconds(100))
  }

  /// Whatever the others say that they take, everyone is told, between the end of the window and ten times that.
  @Test(
    arguments: [
      (1e9, 10), (1e18, 10), (.greatestFiniteMagnitude, 10), (.infinity, 10), (.leastNonzeroMagnitude, 100),
      (1e-300, 100), (-1, 100), (-.greatestFiniteMagnitude, 100), (-.infinity, 100),
    ] as [(Double, Double)]
  )
  func absurdRatesAreBorne(_ acceptable: Double, _ end: Double) throws {
    let record = DrainRun(100, window: .seconds(10), acceptable: { _ in acceptable })
    #expect(record.told.reduce(0) { $0 + $1.count } == 100)
    #expect(abs(seconds(try #require(record.told.last).at) - end) < 0.2)
    #expect(record.end?.action == .exit(0))
    #expect(record.progress.allSatisfy { $0.perSecond.isFinite && $0.secondsLeft >= 0 })
  }

  @Test func aSecondCommandSetsTheWindowAnew() throws {
    let record = DrainRun(
      100,
      window: .minutes(10),
      cause: .command,
      each: { drain, elapsed in
        if elapsed == .seconds(10) {
          _ = drain.drainCommanded(window: .seconds(5), settle: .seconds(9), now: start + elapsed)
        }
      }
    )
    #expect(try #require(record.told.last).at == .seconds(15))
  }

  @Test func aSignalHastensACommand() throws {
    let record = DrainRun(
      100,
      window: .minutes(10),
      cause: .command,
      each: { drain, elapsed in
        if elapsed == .seconds(10) {
          #expect(drain.signalled(window: .seconds(5), settle: .seconds(9), now: start + elapsed) == nil)
        }
      }
    )
    #expect(try #require(record.told.last).at == .seconds(15))
    #expect(try #require(record.end).action == .exit(0))
  }

  @Test func aSignalDoesNotDelayACommand() throws {
    let record = DrainRun(
      100,
      window: .seconds(10),
      cause: .command,
      each: { drain, elapsed in
        if elapsed == .seconds(5) {
          _ = drain.signalled(window: .minutes(5), settle: .seconds(9), now: start + elapsed)
        }
      }
    )
    #expect(try #require(record.told.last).at == .seconds(10))
  }

  @Test func anUndrainedNodeDrainsAgainFromTheStart() {
    var drain = Drain()
    _ = drain.started()
    _ = drain.signalled(window: .seconds(10), settle: .zero, now: start)
    #expect(drain.ticked(now: start, held: 10, untold: 10) == .sendAway(1))
    #expect(drain.undrainRequested() == .acceptNew)
    #expect(drain.ticked(now: start + .minutes(1), held: 10, untold: 10) == nil)
    #expect(drain.progress == nil)
    let again = start + .minutes(2)
    #expect(drain.signalled(window: .seconds(10), settle: .seconds(1), now: again) == .refuseNew)
    #expect(drain.ticked(now: again, held: 10, untold: 10) == nil)
    #expect(drain.ticked(now: again + .seconds(1), held: 10, untold: 10) == .sendAway(1))
  }

  @Test func lateArrivalsAreToldAndGivenTheirTime() {
    var drain = Drain()
    _ = drain.started()
    _ = drain.signalled(window: .zero, settle: .zero, now: start)
    #expect(drain.ticked(now: start, held: 5, untold: 5) == .sendAway(5))
    #expect(drain.ticked(now: start + .seconds(11), held: 6, untold: 1) == .sendAway(1))
    #expect(drain.ticked(now: start + .seconds(22), held: 1, untold: 0) == nil)
    #expect(drain.ticked(now: start + .seconds(23), held: 1, untold: 0) == .closeRemaining)
    #expect(drain.remainingClosed(1) == .exit(0))
    #expect(drain.forced == 1)
  }

  @Test func membersAreWaitedForUntilTheirGraceIsOver() {
    var drain = Drain()
    _ = drain.started()
    _ = drain.signalled(window: .zero, settle: .zero, now: start)
    #expect(drain.ticked(now: start, held: 1, untold: 1) == .sendAway(1))
    #expect(drain.ticked(now: start + .seconds(1), held: 0, untold: 0, departing: 3) == nil)
    #expect(drain.progress?.remaining == 0)
    #expect(drain.ticked(now: start + .seconds(4), held: 0, untold: 0) == .exit(0))
  }

  @Test func membersWithoutASessionAreNotWaitedForLongerThanSessions() {
    var drain = Drain()
    _ = drain.started()
    _ = drain.signalled(window: .zero, settle: .zero, now: start)
    #expect(drain.ticked(now: start, held: 0, untold: 0, departing: 2) == nil)
    #expect(drain.ticked(now: start + .seconds(12), held: 0, untold: 0, departing: 2) == .closeRemaining)
    #expect(drain.remainingClosed(0) == .exit(0))
    #expect(drain.forced == 0)
  }

  @Test func whenTheUntoldLeaveByThemselvesTheLastGoodbyeCounts() {
    var drain = Drain()
    _ = drain.started()
    _ = drain.signalled(window: .seconds(30), settle: .zero, now: start)
    #expect(drain.ticked(now: start, held: 2, untold: 2) == .sendAway(1))
    #expect(drain.ticked(now: start + .seconds(5), held: 1, untold: 0) == nil)
    #expect(drain.ticked(now: start + .milliseconds(11_900), held: 1, untold: 0) == nil)
    #expect(drain.ticked(now: start + .seconds(12), held: 1, untold: 0) == .closeRemaining)
  }
}
