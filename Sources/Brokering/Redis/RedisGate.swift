import Admission
import NIOCore
import RedisClient
import Telemetry

/// Stands before a link. While Redis is connected but answers nothing in time, what is asked is refused at once, and
/// Redis is asked for a sign of life now and then instead. While it takes no writes, one publish at a time finds out
/// whether it does again. A link that is down refuses by itself.
final class RedisGate {
  struct Pass {
    fileprivate let calls: CircuitBreaker.Pass
    fileprivate let writes: CircuitBreaker.Pass?
  }

  /// Called with each change, and why nothing passes; nil when all may.
  var onChange: ((String?) -> Void)?

  private let link: RedisLink
  let metrics: BrokerMetrics
  private var calls: CircuitBreaker
  private var writes: CircuitBreaker
  /// The fault that a breaker counted last.
  private var lastFault = ""
  private var wasReady = false

  init(_ link: RedisLink, _ settings: CircuitBreaker.Settings, _ metrics: BrokerMetrics) {
    self.link = link
    self.metrics = metrics
    calls = CircuitBreaker(settings)
    writes = CircuitBreaker(settings)
  }

  /// Asks for one call to pass.
  func enter(toPublish isPublish: Bool = false) -> Result<Pass, BrokerError> {
    let now = NIODeadline.now()
    guard calls.state == .closed, case .pass(let pass) = calls.knock(now: now) else {
      return refuse("Redis does not answer in time", until: calls.nextTrial, now)
    }
    guard isPublish else { return .success(Pass(calls: pass, writes: nil)) }
    switch changing({ $0.writes.knock(now: now) }) {
    case .pass(let write): return .success(Pass(calls: pass, writes: write))
    case .refused: return refuse("Redis takes no writes", until: writes.nextTrial, now)
    }
  }

  /// The result of a call that passed.
  func left(_ pass: Pass, _ reply: Result<RedisValue, RedisError>) {
    count(reply)
    let now = NIODeadline.now()
    changing { gate in
      switch reply {
      case .failure(let error) where error.isStall:
        gate.lastFault = error.description
        gate.calls.failed(pass.calls, now: now)
        if let write = pass.writes, gate.writes.state == .halfOpen { gate.writes.failed(write, now: now) }
      case .failure(let error) where error.refusesWrites:
        gate.calls.succeeded(pass.calls)
        gate.lastFault = error.description
        if let write = pass.writes { gate.writes.failed(write, now: now) }
      case .failure(.server), .success:
        gate.calls.succeeded(pass.calls)
        if let write = pass.writes { gate.writes.succeeded(write) }
      case .failure:
        // The link says itself what is wrong with it. A trial that came to nothing gives way to the next one.
        if let write = pass.writes, gate.writes.state == .halfOpen { gate.writes.failed(write, now: now) }
      }
    }
  }

  /// Counts what a result shows, whoever asked.
  func count(_ reply: Result<RedisValue, RedisError>) {
    guard case .failure(let error) = reply else { return }
    switch error {
    case .timeout: metrics.timeouts.add()
    case .overloaded: metrics.crowdedOut.add()
    case .authentication: metrics.refusedByStore.add()
    default: if error.refusesWrites { metrics.refusedByStore.add() }
    }
  }

  /// The link is ready: it was greeted in time, and by whom is not known to be the one of before.
  func linkIsReady() {
    if wasReady { metrics.reconnects.add() }
    wasReady = true
    changing { gate in
      if gate.calls.state != .closed { gate.calls.close() }
    }
  }

  func linkIsDown(because error: RedisError) {
    if case .protocolViolation = error { metrics.strangeAnswers.add() }
  }

  /// What the link answered is no answer to what was asked: nothing that comes after it can be trusted.
  func answerIsStrange() {
    link.distrust(because: "an answer that has not the form of one to what was asked")
  }

  private func refuse(
    _ what: String,
    until trial: NIODeadline?,
    _ now: NIODeadline
  ) -> Result<Pass, BrokerError> {
    metrics.shortCircuited.add()
    let wait = max(.zero, (trial ?? now) - now).nanoseconds / 1_000_000
    // Behind the trial, so that its result is known.
    return .failure(
      BrokerError(.unavailable, "\(what); last: \(lastFault)", retryAfterMS: Int(min(wait, 30_000)) + 500)
    )
  }

  @discardableResult
  private func changing<Answer>(_ work: (RedisGate) -> Answer) -> Answer {
    let before = (calls.state, writes.state, calls.trips + writes.trips)
    let answer = work(self)
    guard before.0 != calls.state || before.1 != writes.state else { return answer }
    metrics.trips.add(calls.trips + writes.trips - before.2)
    metrics.breakersOpen.add(openCount(calls.state, writes.state) - openCount(before.0, before.1))
    if before.0 != calls.state {
      if calls.state == .open { tryLater() }
      onChange?(calls.state == .closed ? nil : "Redis does not answer in time; last: \(lastFault)")
    }
    return answer
  }

  private func openCount(_ states: CircuitBreaker.State...) -> Int {
    states.count { $0 != .closed }
  }

  /// The trial is a question that nobody waits for.
  private func tryLater() {
    guard let moment = calls.nextTrial else { return }
    link.eventLoop.assumeIsolated().scheduleTask(deadline: moment) { [weak self] in self?.tryNow() }
  }

  private func tryNow() {
    guard calls.state != .closed else { return }
    guard case .pass(let pass) = changing({ $0.calls.knock(now: .now()) }) else { return tryLater() }
    link.send(["PING"]) { [weak self] reply in
      guard let self else { return }
      let now = NIODeadline.now()
      changing { gate in
        switch reply {
        case .success: gate.calls.succeeded(pass)
        case .failure(let error) where error.refusesWrites: gate.calls.succeeded(pass)
        case .failure: gate.calls.failed(pass, now: now)
        }
      }
    }
  }
}

@available(*, unavailable) extension RedisGate: Sendable {}
