import NIOCore
import Testing

@testable import Brokering

@Suite struct RedisTurnsTests {
  @Test func soManyAreUnderWayAndTheOthersFollowInTheirOrder() {
    let turns = RedisTurns(atOnce: 2...2)
    var begun: [Int] = []
    for number in 0..<5 { #expect(turns.take { begun.append(number) }) }
    #expect(begun == [0, 1])
    #expect(turns.count == 5)
    turns.ended()
    #expect(begun == [0, 1, 2])
    turns.ended()
    turns.ended()
    #expect(begun == [0, 1, 2, 3, 4])
    turns.ended()
    turns.ended()
    #expect(turns.count == 0)
    #expect(turns.take { begun.append(5) })
    #expect(begun.last == 5)
  }

  @Test func whatEndsAtOnceMakesRoomAtOnce() {
    let turns = RedisTurns(atOnce: 1...1)
    var begun = 0
    for _ in 0..<100 {
      let isTaken = turns.take {
        begun += 1
        turns.ended()
      }
      #expect(isTaken)
    }
    #expect(begun == 100)
    #expect(turns.count == 0)
  }

  @Test func noMoreWaitThanMay() {
    let turns = RedisTurns(atOnce: 1...1)
    for _ in 0...RedisTurns.longest { #expect(turns.take {}) }
    #expect(!turns.take {})
    turns.ended()
    #expect(turns.take {})
  }

  /// Redis, which answers one call after the other, some time away.
  private final class Far {
    var now = NIODeadline.uptimeNanoseconds(1)
    let away: TimeAmount
    var each: TimeAmount
    private var answers: [NIODeadline] = []
    private var isFree = NIODeadline.uptimeNanoseconds(0)
    private(set) var mostUnderWay = 0
    lazy var turns = RedisTurns(atOnce: 8...64) { [unowned self] in now }

    init(away: TimeAmount, each: TimeAmount) {
      self.away = away
      self.each = each
    }

    func ask(_ count: Int) {
      for _ in 0..<count {
        _ = turns.take { [unowned self] in
          isFree = max(isFree, now + away) + each
          answers.append(isFree)
          mostUnderWay = max(mostUnderWay, answers.count)
        }
      }
    }

    func answer(_ count: Int) {
      for _ in 0..<count where !answers.isEmpty {
        now = answers.removeFirst()
        turns.ended()
      }
    }
  }

  @Test(
    arguments: [
      (.microseconds(100), 8...9), (.milliseconds(1), 40...46), (.milliseconds(5), 64...64),
    ] as [(TimeAmount, ClosedRange<Int>)]
  )
  func moreAreUnderWayWhereRedisIsFar(_ away: TimeAmount, _ expected: ClosedRange<Int>) {
    let far = Far(away: away, each: .microseconds(25))
    far.ask(20_000)
    far.answer(19_000)
    #expect(expected.contains(far.turns.atOnce), "\(far.turns.atOnce)")
    far.answer(1_000)
    #expect(far.turns.count == 0)
    // Few at a time do not tell that there could be more.
    let before = far.turns.atOnce
    for _ in 0..<1_000 {
      far.ask(1)
      far.answer(1)
    }
    #expect(far.turns.atOnce <= before)
  }

  @Test func whereRedisSlowsDownFewerAreUnderWay() {
    let far = Far(away: .milliseconds(5), each: .microseconds(25))
    far.ask(60_000)
    far.answer(20_000)
    #expect(far.turns.atOnce == 64)
    far.each = .milliseconds(1)
    far.answer(10_000)
    #expect((8...10).contains(far.turns.atOnce), "\(far.turns.atOnce)")
  }

  /// What fails at once while Redis is away tells nothing of how far it is.
  @Test func failuresAreNoMeasure() {
    let far = Far(away: .milliseconds(5), each: .microseconds(25))
    far.ask(20_000)
    far.answer(20_000)
    for _ in 0..<1_000 {
      #expect(far.turns.take {})
      far.turns.ended(hasFailed: true)
    }
    far.ask(20_000)
    far.answer(20_000)
    #expect(far.turns.atOnce == 64 && far.turns.count == 0)
  }

  /// The depth of the stack does not grow with their number.
  @Test func allThatWaitMayEndAsSoonAsTheyBegin() {
    let turns = RedisTurns(atOnce: 1...1)
    var begun = 0
    #expect(turns.take {})
    for _ in 0..<RedisTurns.longest {
      _ = turns.take {
        begun += 1
        turns.ended()
      }
    }
    turns.ended()
    #expect(begun == RedisTurns.longest && turns.count == 0)
  }
}
