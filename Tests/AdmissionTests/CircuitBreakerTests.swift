import Admission
import NIOCore
import Testing

@Suite struct CircuitBreakerTests {
  private let start = NIODeadline.uptimeNanoseconds(9_000_000_000)

  private func pass(_ breaker: inout CircuitBreaker, at now: NIODeadline) throws -> CircuitBreaker.Pass {
    guard case .pass(let pass) = breaker.knock(now: now) else {
      throw Refused(state: breaker.state)
    }
    return pass
  }

  private struct Refused: Error {
    let state: CircuitBreaker.State
  }

  private func fail(_ breaker: inout CircuitBreaker, times: Int, at now: NIODeadline) throws {
    for _ in 0..<times { breaker.failed(try pass(&breaker, at: now), now: now, chance: 1) }
  }

  @Test func failuresInARowOpenIt() throws {
    var breaker = CircuitBreaker()
    for _ in 0..<100 { breaker.succeeded(try pass(&breaker, at: start)) }
    try fail(&breaker, times: 4, at: start)
    #expect(breaker.state == .closed)
    breaker.succeeded(try pass(&breaker, at: start))
    try fail(&breaker, times: 4, at: start)
    #expect(breaker.state == .closed)
    try fail(&breaker, times: 1, at: start)
    #expect(breaker.state == .open)
    #expect(breaker.trips == 1)
    #expect(breaker.knock(now: start) == .refused(retryIn: .milliseconds(500)))
  }

  @Test func halfOfTheLastCallsOpenIt() throws {
    var breaker = CircuitBreaker()
    var calls = 0
    for _ in 0..<64 { breaker.succeeded(try pass(&breaker, at: start)) }
    while breaker.state == .closed, calls < 1_000 {
      breaker.succeeded(try pass(&breaker, at: start))
      breaker.failed(try pass(&breaker, at: start), now: start)
      calls += 2
    }
    #expect(calls == 32)
    // A third of failures is borne for ever.
    breaker = CircuitBreaker()
    for call in 0..<3_000 {
      let pass = try pass(&breaker, at: start)
      call % 3 == 2 ? breaker.failed(pass, now: start) : breaker.succeeded(pass)
    }
    #expect(breaker.state == .closed)
  }

  @Test func oneTrialPassesAndDecides() throws {
    var breaker = CircuitBreaker()
    try fail(&breaker, times: 5, at: start)
    var now = start + .milliseconds(499)
    #expect(breaker.knock(now: now) == .refused(retryIn: .milliseconds(1)))
    now = start + .milliseconds(500)
    let trial = try pass(&breaker, at: now)
    #expect(breaker.state == .halfOpen)
    #expect(breaker.knock(now: now) == .refused(retryIn: .seconds(10)))
    breaker.failed(trial, now: now, chance: 1)
    #expect(breaker.state == .open)
    #expect(breaker.knock(now: now) == .refused(retryIn: .seconds(1)))
    now = now + .seconds(1)
    breaker.succeeded(try pass(&breaker, at: now))
    #expect(breaker.state == .closed)
    #expect(breaker.trips == 1)
    // Nothing of before counts.
    try fail(&breaker, times: 4, at: now)
    #expect(breaker.state == .closed)
    try fail(&breaker, times: 1, at: now)
    #expect(breaker.knock(now: now) == .refused(retryIn: .milliseconds(500)))
  }

  @Test func pausesDoubleWithinTheirBoundsAndAreJittered() throws {
    var breaker = CircuitBreaker()
    var now = start
    try fail(&breaker, times: 5, at: now)
    var pauses: [Int64] = []
    for _ in 0..<40 {
      guard case .refused(let pause) = breaker.knock(now: now) else { throw Refused(state: breaker.state) }
      pauses.append(pause.nanoseconds / 1_000_000)
      now = now + pause
      breaker.failed(try pass(&breaker, at: now), now: now, chance: 1)
    }
    #expect(pauses.prefix(5) == [500, 1_000, 2_000, 4_000, 5_000])
    #expect(pauses.dropFirst(5).allSatisfy { $0 == 5_000 })
    now = now + .seconds(5)
    breaker.failed(try pass(&breaker, at: now), now: now, chance: 0)
    #expect(breaker.knock(now: now) == .refused(retryIn: .milliseconds(2_500)))
  }

  /// What was under way when it opened neither closes nor opens it.
  @Test func lateResultsSayNothing() throws {
    var breaker = CircuitBreaker()
    let early = try (0..<20).map { _ in try pass(&breaker, at: start) }
    try fail(&breaker, times: 5, at: start)
    for pass in early { breaker.succeeded(pass) }
    #expect(breaker.state == .open)
    let now = start + .seconds(1)
    let trial = try pass(&breaker, at: now)
    for pass in early { breaker.failed(pass, now: now) }
    #expect(breaker.state == .halfOpen)
    breaker.succeeded(trial)
    #expect(breaker.state == .closed)
  }

  @Test func aTrialWithoutAResultIsReplaced() throws {
    var breaker = CircuitBreaker()
    try fail(&breaker, times: 5, at: start)
    var now = start + .seconds(1)
    let lost = try pass(&breaker, at: now)
    now = now + .seconds(10)
    let trial = try pass(&breaker, at: now)
    breaker.failed(lost, now: now)
    #expect(breaker.state == .halfOpen)
    breaker.succeeded(trial)
    #expect(breaker.state == .closed)
  }

  @Test func itCanBeToldThatTheServiceWorks() throws {
    var breaker = CircuitBreaker()
    try fail(&breaker, times: 5, at: start)
    breaker.close()
    #expect(breaker.nextTrial == nil)
    try fail(&breaker, times: 4, at: start)
    #expect(breaker.state == .closed)
  }
}
