extension LoadResult {
  /// One result of what several processes did at the same time, the first of them first.
  ///
  /// Totals are summed, and distributions are joined without loss. Samples are aligned by the clock: counts are
  /// summed; of a second's percentiles the median is the mean by deliveries, and p99 and maximum are the highest. A
  /// node that several have watched is taken from who saw most of it. Peaks are summed, so they are upper bounds.
  ///
  /// - Precondition: `results` is not empty.
  public static func joined(_ results: [LoadResult]) -> LoadResult {
    precondition(!results.isEmpty)
    let started = results.map(\.startedMs).min() ?? 0
    let shifted = results.map { $0.shifted(by: Double($0.startedMs - started) / 1_000) }
    var joined = LoadResult(
      scenario: shifted.map(\.scenario).inOrderOnce.joined(separator: " + "),
      plan: joinedSettings(shifted.map(\.plan)),
      startedMs: started,
      elapsedS: shifted.map(\.elapsedS).max() ?? 0
    )
    for result in shifted {
      joined.totals.add(result.totals)
      for (timing, times) in result.timings { joined.timings[timing, default: TimeDistribution()].add(times) }
      for (transport, times) in result.away { joined.away[transport, default: TimeDistribution()].add(times) }
    }
    let verdicts = shifted.compactMap(\.verdict)
    joined.verdict = verdicts.isEmpty ? nil : LoadVerdict.joined(verdicts)
    joined.peaks = joinedPeaks(shifted.flatMap(\.peaks))
    joined.figures = joinedSettings(shifted.map(\.figures))
    joined.samples = LoadSample.joined(shifted.map(\.samples))
    joined.marks = joinedMarks(shifted.flatMap(\.marks))
    joined.driver = DriverReport.joined(shifted.map(\.driver), samples: joined.samples)
    joined.nodes = joinedNodes(shifted.flatMap(\.nodes))
    joined.failures = shifted.flatMap(\.failures).inOrderOnce
    return joined
  }

  /// Measured from an earlier moment on.
  private func shifted(by seconds: Double) -> LoadResult {
    guard seconds > 0 else { return self }
    var result = self
    result.elapsedS += seconds
    for index in result.samples.indices { result.samples[index].atS += seconds }
    for index in result.marks.indices { result.marks[index].atS += seconds }
    for node in result.nodes.indices {
      for index in result.nodes[node].samples.indices { result.nodes[node].samples[index].atS += seconds }
    }
    return result
  }

  /// What is the same in all is said once, what is not, side by side.
  private static func joinedSettings(_ lists: [[LoadSetting]]) -> [LoadSetting] {
    lists.flatMap { $0.map(\.name) }.inOrderOnce.map { name in
      let values = lists.flatMap { $0.filter { $0.name == name }.map(\.value) }
      return LoadSetting(name, Set(values).count == 1 ? values[0] : values.joined(separator: " + "))
    }
  }

  private static func joinedPeaks(_ peaks: [LoadPeak]) -> [LoadPeak] {
    peaks.map(\.node).inOrderOnce.map { node in
      let same = peaks.filter { $0.node == node }
      let planned = same.compactMap(\.planned).max()
      return LoadPeak(node: node, count: same.reduce(0) { $0 + $1.count }, planned: planned)
    }
  }

  /// What several saw at nearly the same time is one mark.
  private static func joinedMarks(_ marks: [LoadMark]) -> [LoadMark] {
    var joined: [LoadMark] = []
    for mark in marks.sorted(by: { $0.atS < $1.atS })
    where !joined.contains(where: { $0.text == mark.text && mark.atS - $0.atS < 3 }) {
      joined.append(mark)
    }
    return joined
  }

  private static func joinedNodes(_ nodes: [NodeSeries]) -> [NodeSeries] {
    nodes.map(\.node).inOrderOnce.compactMap { name in
      nodes.filter { $0.node == name }.max { $0.samples.count < $1.samples.count }
    }
  }
}

extension LoadSample {
  /// Counts are summed by the second.
  static func joined(_ runs: [[LoadSample]]) -> [LoadSample] {
    let seconds = runs.map { samples in
      Dictionary(grouping: samples) { Int(clamping: $0.atS) }
    }
    let all = Set(seconds.flatMap(\.keys)).sorted()
    var connected = runs.map { _ in 0 }
    return all.map { second in
      var joined = LoadSample(atS: Double(second))
      var weighted = 0.0
      var ends: [Double] = []
      for (run, samples) in seconds.enumerated() {
        let samples = samples[second] ?? []
        for sample in samples {
          connected[run] = sample.connected
          weighted += Double(sample.deliveryP50Us ?? 0) * Double(sample.delivered)
          joined.take(sample)
        }
        ends += samples.map(\.atS).max().map { [$0] } ?? []
        // A process that was late for this second has its connections nevertheless.
        if let last = runs[run].last, Double(second) <= last.atS + 0.5 { joined.connected += connected[run] }
      }
      // It lasted until they ended, on average.
      joined.atS = ends.reduce(0, +) / Double(max(ends.count, 1))
      if joined.deliveryP99Us != nil, joined.delivered > 0 {
        joined.deliveryP50Us = Int(clamping: weighted / Double(joined.delivered))
      }
      return joined
    }
  }

  /// What several processes say of about the same second.
  static func sum(_ samples: [LoadSample], at seconds: Double) -> LoadSample {
    var runs = samples.map { [$0] }
    for index in runs.indices { runs[index][0].atS = 0 }
    var sum = joined(runs).first ?? LoadSample(atS: seconds)
    sum.atS = seconds
    return sum
  }

  private mutating func take(_ other: LoadSample) {
    published += other.published
    acknowledged += other.acknowledged
    delivered += other.delivered
    connects += other.connects
    errors += other.errors
    deliveryP99Us = [deliveryP99Us, other.deliveryP99Us].compactMap(\.self).max()
    deliveryMaxUs = [deliveryMaxUs, other.deliveryMaxUs].compactMap(\.self).max()
    driverCores += other.driverCores
    driverLagUs = max(driverLagUs, other.driverLagUs)
  }
}

extension DriverReport {
  /// Of one machine's processes.
  fileprivate static func joined(_ reports: [DriverReport], samples: [LoadSample]) -> DriverReport {
    var joined = DriverReport()
    joined.processes = reports.reduce(0) { $0 + $1.processes }
    joined.cores = reports.reduce(0) { $0 + $1.cores }
    joined.coresPeak =
      samples.filter { $0.atS > 0 }.map(\.driverCores).max() ?? reports.map(\.coresPeak).max() ?? 0
    joined.coresAvailable = reports.map(\.coresAvailable).max() ?? 0
    joined.lagP99Us = reports.map(\.lagP99Us).max() ?? 0
    joined.lagMaxUs = reports.map(\.lagMaxUs).max() ?? 0
    joined.rss = reports.reduce(0) { $0 + $1.rss }
    let limits = reports.compactMap(\.limit).inOrderOnce
    // Each may have had room of its own where all together had none.
    joined.limit =
      limits.isEmpty ? DriverLimit.words(joined, machineBusy: nil) : limits.joined(separator: "; ")
    return joined
  }
}

extension LoadVerdict {
  static let examplesLimit = 20

  /// Each was about subscribers of its own.
  static func joined(_ verdicts: [LoadVerdict]) -> LoadVerdict {
    var joined = LoadVerdict(lost: 0, duplicated: 0, reordered: 0, undetected: 0, subscribers: 0)
    for verdict in verdicts {
      joined.lost += verdict.lost
      joined.duplicated += verdict.duplicated
      joined.reordered += verdict.reordered
      joined.undetected += verdict.undetected
      joined.subscribers += verdict.subscribers
      joined.gaps.merge(verdict.gaps, uniquingKeysWith: +)
      joined.others.merge(verdict.others, uniquingKeysWith: +)
      joined.examples += verdict.examples
    }
    joined.examples = Array(joined.examples.inOrderOnce.prefix(examplesLimit))
    return joined
  }
}

extension Sequence where Element: Hashable {
  /// Each element where it stands first.
  var inOrderOnce: [Element] {
    var seen: Set<Element> = []
    return filter { seen.insert($0).inserted }
  }
}
