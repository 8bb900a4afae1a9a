import NIOCore
import Testing

@testable import GatewayNode

@Suite struct LoopLagTests {
  private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

  @Test func aLoopInTimeHasNoLag() {
    let lag = LoopLag(now: start)
    for tenth in 1...10 { lag.ran(at: start + .milliseconds(Int64(tenth) * 100)) }
    #expect(lag.read(now: start + .seconds(1)) == LoopLag.Reading(worst: 0, sum: 0, count: 10))
    #expect(lag.read(now: start + .milliseconds(1_050)) == LoopLag.Reading())
  }

  @Test func aLateRunIsTimed() {
    let lag = LoopLag(now: start)
    lag.ran(at: start + .milliseconds(150))
    lag.ran(at: start + .milliseconds(260))
    #expect(
      lag.read(now: start + .milliseconds(300))
        == LoopLag.Reading(worst: 50_000_000, sum: 60_000_000, count: 2)
    )
  }

  @Test func aLoopThatStandsStillIsSeenFromOutside() {
    let lag = LoopLag(now: start)
    #expect(lag.read(now: start + .seconds(3)).worst == 2_900_000_000)
  }
}
