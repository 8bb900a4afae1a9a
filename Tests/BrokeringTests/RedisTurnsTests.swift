import Testing

@testable import Brokering

@Suite struct RedisTurnsTests {
  @Test func soManyAreUnderWayAndTheOthersFollowInTheirOrder() {
    let turns = RedisTurns(atOnce: 2)
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
    let turns = RedisTurns(atOnce: 1)
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
    let turns = RedisTurns(atOnce: 1)
    for _ in 0...RedisTurns.longest { #expect(turns.take {}) }
    #expect(!turns.take {})
    turns.ended()
    #expect(turns.take {})
  }
}
