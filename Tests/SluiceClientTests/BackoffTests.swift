import NIOCore
import SluiceClient
import Testing

@Suite struct BackoffTests {
  private let backoff = Backoff(floor: .milliseconds(50), base: .milliseconds(100), ceiling: .seconds(2))

  @Test func neverFallsBelowItsFloorAndNeverRisesAboveItsCeiling() {
    for chance in [0, 0.3, 0.999_999] {
      var backoff = backoff
      for _ in 0..<100 {
        let wait = backoff.next(chance: chance)
        #expect((TimeAmount.milliseconds(50)...TimeAmount.seconds(2)).contains(wait))
      }
    }
  }

  @Test func itsSpanDoubles() {
    var backoff = backoff
    let waits = (0..<6).map { _ in backoff.next(chance: 0.5) }
    #expect(waits == [100, 150, 250, 450, 850, 1_650].map { TimeAmount.milliseconds($0) })
    #expect(backoff.next(chance: 0.5) == .seconds(2))
    #expect(backoff.attempts == 7)
  }

  @Test func isShortAgainAfterASuccess() {
    var backoff = backoff
    for _ in 0..<9 { _ = backoff.next(chance: 0.9) }
    backoff.succeeded()
    #expect(backoff.next(chance: 0.5) == .milliseconds(100))
  }

  @Test func respectsWhatTheOtherSideAskedFor() {
    var backoff = backoff
    #expect(backoff.next(chance: 0, atLeast: .seconds(1)) == .seconds(1))
    #expect(backoff.next(chance: 0.5, atLeast: .seconds(1)) == .milliseconds(1_100))
    #expect(backoff.next(chance: 0.5, atLeast: .hours(1)) == .seconds(2))
  }

  @Test func whatIsAskedForHasNoEnd() {
    for hadWorked in [false, true] {
      var backoff = backoff
      for _ in 0..<50 {
        let wait = backoff.next(chance: 0.999, atLeast: .milliseconds(.max), hadWorked: hadWorked)
        #expect(wait == .seconds(2))
      }
    }
  }

  @Test(arguments: [TimeAmount.nanoseconds(.min), .milliseconds(.min), .hours(-1), .nanoseconds(-1), .zero])
  func noAskShortensAWait(_ asked: TimeAmount) {
    for (hadWorked, least) in [(false, TimeAmount.milliseconds(50)), (true, .milliseconds(200))] {
      for chance in [0, 0.5, 1.0.nextDown] {
        var (asking, silent) = (backoff, backoff)
        for _ in 0..<50 {
          let wait = asking.next(chance: chance, atLeast: asked, hadWorked: hadWorked)
          #expect(wait == silent.next(chance: chance, hadWorked: hadWorked))
          #expect((least...TimeAmount.seconds(2)).contains(wait))
        }
      }
    }
  }

  @Test(arguments: [TimeAmount.hours(1), .hours(24 * 365 * 100), .nanoseconds(.max)])
  func noBaseAndNoNumberOfAttemptsIsTooMuch(_ base: TimeAmount) {
    for chance in [0, 0.5, 1.0.nextDown] {
      for asked in [TimeAmount.zero, .nanoseconds(.max)] {
        var backoff = Backoff(floor: .milliseconds(50), base: base, ceiling: .seconds(2))
        for _ in 0..<200 {
          let wait = backoff.next(chance: chance, atLeast: asked)
          #expect((TimeAmount.milliseconds(50)...TimeAmount.seconds(2)).contains(wait))
          if asked > .zero { #expect(wait == .seconds(2)) }
        }
        #expect(backoff.attempts == 200)
      }
    }
  }

  @Test func aCeilingOfACenturyIsOne() {
    let century = TimeAmount.hours(24 * 365 * 100)
    for hadWorked in [false, true] {
      var backoff = Backoff(floor: .milliseconds(50), base: .milliseconds(100), ceiling: century)
      for _ in 0..<100 {
        let wait = backoff.next(chance: 1.0.nextDown, atLeast: .nanoseconds(.max), hadWorked: hadWorked)
        #expect(wait == century)
      }
      #expect(backoff.next(chance: 1.0.nextDown) <= century)
    }
  }

  @Test func spreadsTheFirstWaitAfterALossAlone() {
    var backoff = backoff
    backoff.rest = .milliseconds(200)
    backoff.spread = .milliseconds(800)
    #expect(backoff.next(chance: 0, hadWorked: true) == .milliseconds(200))
    backoff.succeeded()
    #expect(backoff.next(chance: 0.5, hadWorked: true) == .milliseconds(600))
    #expect(backoff.next(chance: 0.5) == .milliseconds(150))
    backoff.succeeded()
    #expect(backoff.next(chance: 0.5) == .milliseconds(100))
  }

  @Test func aSpreadBeyondTheCeilingIsStillASpread() {
    var waits = Set<Int64>()
    for chance in [0.5, 0.9, 0.999] {
      var backoff = backoff
      backoff.spread = .minutes(1)
      let wait = backoff.next(chance: chance, hadWorked: true)
      #expect(wait < .seconds(2))
      waits.insert(wait.nanoseconds)
    }
    #expect(waits.count == 3)
  }

  @Test func usesItsWholeSpan() {
    var waits: [Int64] = []
    for _ in 0..<200 {
      var backoff = backoff
      waits.append(backoff.next().nanoseconds)
    }
    #expect(waits.min()! < 75_000_000)
    #expect(waits.max()! > 125_000_000)
  }
}
