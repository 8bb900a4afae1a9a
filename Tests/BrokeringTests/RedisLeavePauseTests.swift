import NIOCore
import Testing

@testable import Brokering

struct RedisLeavePauseTests {
  private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

  @Test func leavesWaitUntilOthersHadTheirTimeToo() {
    var pause = RedisLeavePause(rejoin: .seconds(4))
    pause.redisAnswers(now: start)
    #expect(!pause.isOn(now: start))
    pause.redisFailed()
    #expect(pause.isOn(now: start + .hours(1)))
    // It answers again and again; the first answer counts.
    for second in 0..<4 {
      pause.redisAnswers(now: start + .seconds(Int64(second)))
      #expect(pause.isOn(now: start + .seconds(Int64(second))))
    }
    #expect(!pause.isOn(now: start + .seconds(4)))
  }

  @Test func aLossOfMemoryIsAFaultToo() {
    var pause = RedisLeavePause(rejoin: .seconds(4))
    pause.membersReturn(now: start)
    #expect(pause.isOn(now: start + .seconds(3)))
    #expect(!pause.isOn(now: start + .seconds(4)))
    // It is told by the feed, which may be back before the rest.
    pause.redisFailed()
    pause.membersReturn(now: start)
    #expect(pause.isOn(now: start + .seconds(4)))
  }
}
