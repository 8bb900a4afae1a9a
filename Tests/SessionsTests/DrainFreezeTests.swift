import NIOCore
import Testing

@testable import Sessions

/// Drains of a process that stands still for a while.
@Suite struct DrainFreezeTests {
  private let start = DrainRun.start

  /// The process was stopped, or its machine slept: who would have been told meanwhile is not told at once.
  @Test(arguments: [nil, 0, 25] as [Double?])
  func whatWasNotDoneInAFreezeIsNotMadeUpForAtOnce(_ acceptable: Double?) throws {
    let (woken, window) = (TimeAmount.milliseconds(6_300), TimeAmount.seconds(4))
    let record = DrainRun(
      100,
      window: window,
      acceptable: { $0 == woken ? acceptable : nil },
      frozen: .seconds(1)..<woken
    )
    #expect(record.told.reduce(0) { $0 + $1.count } == 100)
    // Half a second's worth of twenty-five a second.
    #expect(record.told.allSatisfy { $0.count <= 14 }, "\(record.told)")
    let last = try #require(record.told.last).at
    #expect(last > .milliseconds(8_500) && last < .milliseconds(9_800), "\(last)")
    #expect(record.closed == 0)
  }

  @Test func manyFreezesDoNotKeepANodeForEver() throws {
    var drain = Drain()
    _ = drain.started()
    _ = drain.signalled(window: .seconds(4), settle: .zero, now: start)
    var untold = 100
    var elapsed = TimeAmount.zero
    while untold > 0, elapsed < .hours(1) {
      if case .sendAway(let count)? = drain.ticked(
        now: start + elapsed,
        held: 100,
        untold: untold,
        acceptable: 0.001
      ) {
        untold -= count
      }
      elapsed = elapsed + .seconds(5)
    }
    // Ten times the window, and a minute of standing still.
    #expect(elapsed <= .seconds(40 + 60 + 10), "\(elapsed)")
  }
}
