import NIOCore
import SluiceClient
import Wire

extension LoadStage {
  /// Everything that is known at the end, judged.
  func result(elapsed: Double) async throws -> LoadResult {
    await reporter.phase("judging")
    let journals = try await fleet.journals()
    var result = LoadResult(
      scenario: plan.scenario.rawValue,
      plan: plan.settings,
      startedMs: WallClock.milliseconds() - Int64((await reporter.now) * 1_000),
      elapsedS: elapsed
    )
    result.totals = await reporter.totals
    result.verdict = try await verdict(journals)
    result.samples = await reporter.samples
    result.marks = await reporter.marks
    var lag = TimeDistribution()
    for record in records {
      let (timings, loopLag) = try await record.use { ($0.allTimings, $0.lag) }
      for (timing, time) in timings { result.timings[timing, default: TimeDistribution()].add(time) }
      lag.add(loopLag)
    }
    result.driver = await reporter.driver(lag: lag)
    let times = ConnectionTimes(journals, since: connectedAt)
    for (transport, time) in times.without {
      result.away[TransportShares.name(of: transport)] = time
      result.timings[.away, default: TimeDistribution()].add(time)
    }
    let planned = await plannedPace
    result.peaks = times.peaks.map { LoadPeak(node: $0.node, count: $0.count, planned: planned) }
    result.nodes = await nodes.series.values.sorted { $0.node < $1.node }
    try await judge(result, journals)
    if plan.scenario == .rolling { await judgeRestarts(times, planned: planned) }
    result.failures = failures
    result.figures = figures
    return result
  }

  /// How many sessions a drain sends away within 100 ms; nil where nothing was drained.
  private var plannedPace: Double? {
    get async {
      let fastest = await nodes.fastestDrain
      if fastest > 0 { return fastest / 10 }
      guard plan.scenario == .rolling, let window = plan.drainWindow, window > .zero else { return nil }
      // When the second node is drained, half of all sessions may be on it.
      return Double(plan.connections) / 2 / (Double(window.nanoseconds) / 1_000_000_000) / 10
    }
  }

  private func verdict(_ journals: [DeliveryJournal]) async throws -> LoadVerdict? {
    guard let workload else { return nil }
    var checker = (everything ?? workload.ledger).checker()
    for (channel, seen) in try await fleet.seen() {
      checker.seen(channel, seen.epoch, from: seen.first, seen.identities)
    }
    for journal in journals { checker.check(journal) }
    // What the logs say of themselves is the same in all processes.
    return LoadVerdict(checker.verdict(withLogs: stripe.index == 0))
  }

  /// What every scenario promises, and each of its own.
  private func judge(_ result: LoadResult, _ journals: [DeliveryJournal]) async throws {
    let givenUp = try await fleet.all { $0.givenUp }.compactMap(\.self)
    if let reason = givenUp.first { fail("\(givenUp.count) clients gave up: \(reason)") }
    if let workload, let reason = workload.ledger.failures.first {
      fail("\(workload.ledger.failures.count) publishes were given up: \(reason)")
    }
    switch plan.scenario {
    case .idle:
      let drops = journals.flatMap(\.connections).filter {
        $0.readyAt != nil && $0.endedAt != nil && !$0.wasLetGo && $0.sentAwayAt == nil
      }
      if !drops.isEmpty { fail("\(drops.count) connections ended: \(drops[0].end ?? "no reason")") }
    case .storm, .resume, .rolling:
      let gaps = result.verdict?.gaps ?? [:]
      if !gaps.isEmpty, !plan.isUnplanned {
        let words = gaps.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        fail("messages fell out of the log before all had them, as was told: \(words)")
      }
    default: break
    }
  }
}

extension LoadVerdict {
  /// Examples that are kept, of each kind.
  private static let examples = 5

  init(_ verdict: DeliveryVerdict) {
    var others: [String: Int] = [:]
    if verdict[.wrongPayload] > 0 { others["wrong_payload"] = verdict[.wrongPayload] }
    if verdict[.misstatedGap] > 0 { others["misstated_gap"] = verdict[.misstatedGap] }
    if !verdict.complaints.isEmpty { others["complaint"] = verdict.complaints.count }
    var examples: [String] = []
    for fault in DeliveryVerdict.Fault.allCases {
      examples += (verdict.evidence[fault] ?? []).prefix(LoadVerdict.examples)
    }
    self.init(
      lost: verdict[.lost],
      duplicated: verdict[.duplicated],
      reordered: verdict[.reordered],
      undetected: verdict[.undetectedGap],
      gaps: Dictionary(uniqueKeysWithValues: verdict.gaps.map { ($0.key.rawValue, $0.value) }),
      others: others,
      subscribers: verdict.subscribers,
      examples: examples + verdict.complaints.prefix(LoadVerdict.examples)
    )
  }
}
