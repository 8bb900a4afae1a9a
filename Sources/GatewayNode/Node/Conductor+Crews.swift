internal import Logging
internal import NIOCore
internal import Sessions
private import Telemetry

/// What a drain asks of the event loops, and of the other nodes.
extension Conductor {
  /// What the other nodes can take, as they said last.
  struct Opinion {
    static let lasts = TimeAmount.seconds(10)
    /// Another node may begin to drain at the same time, and takes its share then.
    static let interval = TimeAmount.milliseconds(250)

    private(set) var isAsking = false
    private var acceptable: Double?
    private var heardAt: NIODeadline?
    private var askedAt: NIODeadline?

    /// Whether it is time to ask.
    mutating func asks(now: NIODeadline) -> Bool {
      guard !isAsking, askedAt.map({ now - $0 >= Opinion.interval }) ?? true else { return false }
      isAsking = true
      askedAt = now
      return true
    }

    mutating func heard(_ acceptable: Double?, now: NIODeadline) {
      isAsking = false
      self.acceptable = acceptable
      heardAt = now
    }

    /// Nil when it is not known any more.
    func acceptable(now: NIODeadline) -> Double? {
      heardAt.map { now - $0 <= Opinion.lasts } == true ? acceptable : nil
    }
  }

  func sendAway(_ count: Int) {
    for (crew, share) in zip(crews, Conductor.shares(of: count, among: stage.value.untold)) where share > 0 {
      crew.tell { _ = $0.sendAway(share) }
    }
  }

  func closeRemaining() {
    EventLoopFuture.whenAllSucceed(crews.map { $0.ask { $0.closeRemaining() } }, on: loop)
      .map { $0.reduce(0, +) }
      .assumeIsolated()
      .whenSuccess { count in
        if count > 0 {
          self.log.warning("sessions did not leave and were closed", metadata: [LogKey.count: "\(count)"])
        }
        self.handle { $0.remainingClosed(count) }
      }
  }

  func tick() {
    askOthers()
    guard !stage.value.isCounting else { return }
    stage.value.isCounting = true
    EventLoopFuture.whenAllSucceed(crews.map { $0.ask { Count($0) } }, on: loop)
      .assumeIsolated()
      .whenComplete { result in
        self.stage.value.isCounting = false
        guard case .success(let counts) = result else { return }
        self.counted(counts)
      }
  }

  private func counted(_ counts: [Count]) {
    stage.value.untold = counts.map(\.untold)
    let outstayed = counts.reduce(0) { $0 + $1.outstayed }
    stage.value.drain.sessionsOutstayed(outstayed - stage.value.outstayed)
    stage.value.outstayed = outstayed
    let now = NIODeadline.now()
    let acceptable = stage.value.opinion.acceptable(now: now)
    handle {
      $0.ticked(
        now: now,
        held: counts.reduce(0) { $0 + $1.held },
        untold: counts.reduce(0) { $0 + $1.untold },
        departing: counts.reduce(0) { $0 + $1.departing },
        acceptable: acceptable
      )
    }
  }

  /// The answer is used when it has come; a drain does not wait for it.
  private func askOthers() {
    guard stage.value.opinion.asks(now: .now()) else { return }
    let answer = loop.makePromise(of: Double?.self)
    answer.completeWithTask { [others] in await others() }
    answer.futureResult.assumeIsolated().whenSuccess { acceptable in
      self.stage.value.opinion.heard(acceptable, now: .now())
    }
  }

  /// What a crew has, at one moment.
  struct Count: Sendable {
    let held: Int
    let untold: Int
    let departing: Int
    let outstayed: Int

    init(_ keeper: any SessionKeeper) {
      held = keeper.sessions
      untold = keeper.untold
      departing = keeper.departing
      outstayed = keeper.outstayed
    }
  }

  /// Splits `count` among the crews in proportion to what each has.
  static func shares(of count: Int, among untold: [Int]) -> [Int] {
    let total = untold.reduce(0, +)
    guard total > 0 else { return untold.map { _ in 0 } }
    var shares = untold.map { min($0, count * $0 / total) }
    var rest = min(count, total) - shares.reduce(0, +)
    // The rest is less than the number of crews; it goes to who has the most left.
    while rest > 0, let index = shares.indices.max(by: { untold[$0] - shares[$0] < untold[$1] - shares[$1] })
    {
      shares[index] += 1
      rest -= 1
    }
    return shares
  }
}
