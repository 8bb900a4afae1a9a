import NIOCore
import SluiceClient

extension LoadStage {
  /// What the scenario does, and everything that comes after it.
  func play() async throws -> LoadResult {
    let churn = beginChurn()
    switch plan.scenario {
    case .idle, .fanout, .rooms, .chat: try await pause(plan.duration)
    case .presence: try await comeAndGo()
    case .storm: try await storm()
    case .resume: try await resume()
    case .slowReaders: try await slowReaders()
    case .rolling: try await roll()
    }
    churn?.cancel()
    await churn?.value
    try await measure(false)
    let elapsed = await reporter.now
    await reporter.mark(.phase, control.isEnding ? "ended early" : "measuring ends")
    try await settle()
    try await endSampling()
    return try await result(elapsed: max(0, elapsed))
  }

  /// Some reconnect all the time.
  private func beginChurn() -> Task<Void, Never>? {
    guard plan.churn > 0, plan.scenario != .presence else { return nil }
    let (fleet, share, seed) = (fleet, plan.churn, random.next())
    return Task {
      var random = SeededRandom(seed)
      var due = 0.0
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(100))
        due += share * Double(fleet.count) / 10
        try? await fleet.cut(Int(due), using: &random)
        due -= due.rounded(.down)
      }
    }
  }

  /// Publishes nothing more, and waits until everything is answered and has arrived.
  private func settle() async throws {
    if plan.slow != nil { try await fleet.setReadRate(nil) }
    guard let workload else { return }
    await reporter.phase("waiting for what is under way")
    try await workload.end()
    let waiting = try await workload.unsettled
    if waiting > plan.publishers * 2 + Int(plan.rate / 10) {
      figure(
        "publishes that waited at the end",
        "\(waiting), for \(plan.publishers) connections: more --publishers, unless the server is slow"
      )
    }
    // A run that is ended early is judged as well.
    let deadline = NIODeadline.now() + .seconds(65)
    while try await workload.unsettled > 0, .now() < deadline { try await Task.sleep(for: .milliseconds(20)) }
    var tails = workload.ledger.tails
    if let company {
      let everything = Ledger(try await company.exchange(workload.ledger.pages))
      self.everything = everything
      tails = everything.tails
    }
    let limit = NIODeadline.now() + plan.settle
    var lagging = try await fleet.lagging(behind: tails)
    while lagging > 0, .now() < limit {
      try await Task.sleep(for: .milliseconds(50))
      lagging = try await fleet.lagging(behind: tails)
    }
    if lagging > 0 {
      fail(
        "\(lagging) of \(fleet.count) clients had not caught up \(LoadPlan.words(plan.settle)) after the end"
      )
    }
  }

  // MARK: scenarios

  private func storm() async throws {
    try await pause(third)
    await reporter.mark(.fault, "all \(plan.connections) are cut")
    try await fleet.cut()
    try await fleet.expectReturns()
    try await seeEveryoneReturn()
    try await pauseForTheRest()
  }

  private func resume() async throws {
    try await pause(third)
    await reporter.mark(.fault, "all \(plan.connections) go away")
    try await fleet.goAway()
    try await pause(plan.away)
    await reporter.mark(.phase, "all return")
    try await fleet.expectReturns()
    try await fleet.comeBack()
    try await seeEveryoneReturn()
    try await pauseForTheRest()
  }

  /// Times until all are connected again, and until all have what they had missed.
  private func seeEveryoneReturn() async throws {
    let start = NIODeadline.now()
    var back: TimeAmount?
    let ledger = workload?.ledger
    let hasAll = try await wait(plan.settle) {
      let left = try await fleet.lookForReturns(ledger?.tails ?? [:])
      if left.away == 0, back == nil { back = .now() - start }
      return left.away + left.lagging == 0
    }
    if let back {
      figure("all back after", LoadPlan.words(back))
      await reporter.mark(.phase, "all back")
    }
    if hasAll {
      figure("all caught up after", LoadPlan.words(.now() - start))
    } else if !control.isEnding {
      fail(
        back == nil
          ? "not all were back within \(LoadPlan.words(plan.settle))"
          : "not all had caught up within \(LoadPlan.words(plan.settle))"
      )
    }
  }

  private func slowReaders() async throws {
    guard let slow = plan.slow else { return }
    _ = await reporter.takeWindow()
    try await pause(third)
    let before = await reporter.takeWindow()
    let slowOnes = cast.clients.count { $0.endpoint.readRate != nil }
    await reporter.mark(.fault, "\(slowOnes) read \(slow.bytesPerSecond) bytes a second")
    try await fleet.setReadRate(slow.bytesPerSecond)
    try await pauseForTheRest()
    let meanwhile = await reporter.takeWindow()
    figure("p99 of the others before", LoadStage.milliseconds(before.percentile(99)))
    figure("p99 of the others meanwhile", LoadStage.milliseconds(meanwhile.percentile(99)))
    let most = max(before.percentile(99) * 5, before.percentile(99) + 100_000)
    if meanwhile.count > 0, before.count > 0, meanwhile.percentile(99) > most {
      fail(
        """
        beside slow readers the others' p99 went from \(LoadStage.milliseconds(before.percentile(99))) to \
        \(LoadStage.milliseconds(meanwhile.percentile(99)))
        """
      )
    }
    await reporter.mark(.phase, "the slow read as fast as all")
    let tails = workload?.ledger.tails ?? [:]
    try await fleet.expectReturns(
      isReady: true,
      where: { $0.settings.endpoint.readRate != nil },
      owing: tails
    )
    try await fleet.setReadRate(nil)
    try await seeEveryoneReturn()
  }

  private var third: TimeAmount { .nanoseconds(plan.duration.nanoseconds / 3) }

  /// Of the duration.
  private func pauseForTheRest() async throws {
    let left = Double(plan.duration.nanoseconds) / 1_000_000_000 - (await reporter.now)
    if left > 0 { try await pause(.milliseconds(Int64(left * 1_000))) }
  }

  static func milliseconds(_ microseconds: Int) -> String {
    let tenths = (microseconds + 50) / 100
    return "\(tenths / 10).\(tenths % 10) ms"
  }
}
