import NIOCore
import Testing
import Wire

@testable import Brokering

/// What Redis says of the time, however far that is from the truth. (That it is asked at all, and that its clock is set
/// while nodes run, is in `RedisClockTests`.)
struct ClusterClockTests {
  private static let first = ClusterClock.times.lowerBound
  private static let last = ClusterClock.times.upperBound - 1

  /// However slow the machine is that the test runs on, the answer was quick.
  private let justNow = NIODeadline.distantFuture

  /// The clock goes on by itself: what it says lies between what it was told and that much later.
  private func expect(_ clock: ClusterClock, near time: Int64, since start: NIODeadline) {
    let said = clock.milliseconds()
    let passed = (NIODeadline.now() - start).nanoseconds / 1_000_000 + 2
    #expect((time - 2...time + passed).contains(said), "\(said) is not \(time)")
  }

  @Test(arguments: [first, last, 1_790_000_000_000])
  func aTimeInItsRangeIsBelieved(_ time: Int64) {
    #expect(ClusterClock.times.contains(time))
    let clock = ClusterClock()
    let start = NIODeadline.now()
    #expect(clock.told(time, askedAt: start) == .zero)
    expect(clock, near: time, since: start)
  }

  /// 0 and less, seconds or microseconds in the place of milliseconds, and the ends of what a number can be.
  @Test(arguments: [
    Int64.min, -1_790_000_000_000, -1, 0, 1, 1_790_000_000, first - 1, last + 1, 1_790_000_000_000_000,
    Int64.max,
  ])
  func noOtherTimeIsOne(_ time: Int64) {
    #expect(!ClusterClock.times.contains(time))
  }

  /// A jump that is longer than any amount of time is told as the longest.
  @Test func itGoesFromOneEndToTheOtherAndBack() {
    let clock = ClusterClock()
    let start = NIODeadline.now()
    _ = clock.told(Self.first, askedAt: justNow)
    for _ in 0..<3 {
      #expect(clock.told(Self.last, askedAt: justNow) == .nanoseconds(.max))
      expect(clock, near: Self.last, since: start)
      #expect(clock.milliseconds(at: .now()) >= Self.last - 2)
      #expect(clock.told(Self.first, askedAt: justNow) == .nanoseconds(.min))
      expect(clock, near: Self.first, since: start)
    }
  }

  @Test(arguments: [1_790_000_000_000, last - 86_400_000])
  func itTellsHowFarItWasSet(_ time: Int64) {
    let clock = ClusterClock()
    let start = NIODeadline.now()
    _ = clock.told(time, askedAt: justNow)
    let day = TimeAmount.hours(24)
    let forward = clock.told(time + 86_400_000, askedAt: justNow)
    let back = clock.told(time, askedAt: justNow)
    // What has passed meanwhile was no jump.
    let passed = NIODeadline.now() - start + .milliseconds(2)
    let jump = (day - passed)...(day + .milliseconds(2))
    #expect(jump.contains(forward), "\(forward)")
    let jumpBack = (TimeAmount.zero - day - passed)...(TimeAmount.milliseconds(2) - day)
    #expect(jumpBack.contains(back), "\(back)")
  }

  /// Who was told before waits for an answer that comes sooner.
  @Test func whatTookLongIsBelievedOnce() {
    let clock = ClusterClock()
    let start = NIODeadline.now()
    let long = start - .seconds(1)
    #expect(clock.told(Self.first, askedAt: long) == .zero)
    expect(clock, near: Self.first, since: start)
    #expect(clock.told(Self.last, askedAt: long) == .zero)
    #expect(clock.told(Self.last, askedAt: .uptimeNanoseconds(0)) == .zero)
    expect(clock, near: Self.first, since: start)
  }

  /// Until it is told, it is the node's own time.
  @Test func whoWasToldNothingGoesByItsOwnClock() {
    let start = NIODeadline.now()
    let time = WallClock.milliseconds()
    expect(ClusterClock(), near: time, since: start)
  }
}
