import NIOCore
import Testing

@testable import Sessions

/// How far a drain is, as it is shown.
@Suite struct DrainProgressTests {
  private let start = DrainRun.start

  @Test func theProgressCanBeReadBeforeTheFirstTick() {
    var drain = Drain()
    _ = drain.started()
    _ = drain.drainCommanded(window: .seconds(30), settle: .seconds(5), held: 7, now: start)
    #expect(
      drain.progress
        == Drain.Progress(remaining: 7, perSecond: 0, secondsLeft: 40, forced: 0, step: .settling)
    )
  }

  @Test func theProgressCanBeRead() throws {
    let record = DrainRun(301, window: .seconds(30), settle: .seconds(5))
    let first = try #require(record.progress.first)
    #expect(
      first == Drain.Progress(remaining: 301, perSecond: 0, secondsLeft: 40, forced: 0, step: .settling)
    )
    let middle = record.progress[150]
    #expect(abs(middle.perSecond - 10) < 0.2)
    #expect(middle.secondsLeft == 25)
    #expect(middle.step == .sendingAway)
    #expect(record.progress.last == Drain.Progress(remaining: 0, perSecond: 0, secondsLeft: 0, forced: 0))
  }

  /// The grace of members who left as late as they may.
  @Test(arguments: [TimeAmount.milliseconds(300), .seconds(2), .seconds(4)])
  func theTimeThatIsLeftOnlyFalls(_ stay: TimeAmount) throws {
    let record = DrainRun(122, window: .seconds(6), settle: .seconds(1), stay: stay)
    let left = record.progress.map(\.secondsLeft)
    #expect(left.first == 12)
    #expect(zip(left, left.dropFirst()).allSatisfy { $1 <= $0 }, "\(left)")
    let steps = record.progress.compactMap(\.step)
    #expect(steps.first == .settling)
    #expect(!steps.contains(.overdue))
  }

  @Test func whoIsLateIsWaitedForUntilTheyAreClosed() throws {
    let record = DrainRun(5, window: .zero, stay: .minutes(10))
    let late = record.progress.filter { $0.step == .overdue }
    #expect(late.first?.secondsLeft == 7)
    #expect(late.last?.secondsLeft == 1)
    #expect(record.progress.filter { $0.step == .leaving }.map(\.secondsLeft).max() == 5)
  }

  @Test func onlyTheGraceIsLeftWhenNobodyIsHere() {
    var drain = Drain()
    _ = drain.started()
    _ = drain.signalled(window: .zero, settle: .zero, now: start)
    #expect(drain.ticked(now: start, held: 1, untold: 1) == .sendAway(1))
    for (second, left) in [(1, 3), (2, 2), (3, 1)] {
      #expect(drain.ticked(now: start + .seconds(Int64(second)), held: 0, untold: 0, departing: 1) == nil)
      #expect(
        drain.progress
          == Drain.Progress(remaining: 0, perSecond: 0, secondsLeft: left, forced: 0, step: .lingering)
      )
    }
  }
}
