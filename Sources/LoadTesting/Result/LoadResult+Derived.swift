/// What follows from the figures.
extension LoadResult {
  /// Nothing is divided by less than this.
  private static let shortest = 0.001

  /// While it was measured: the totals count the warm-up and the end as well.
  var deliveriesPerSecond: Double { perSecond(\.delivered) }
  var publishesPerSecond: Double { perSecond(\.acknowledged) }
  var duePerSecond: Double { perSecond(\.published) }

  private func perSecond(_ count: KeyPath<LoadSample, Int>) -> Double {
    var (sum, first, last) = (0, 0.0, 0.0)
    // A sample is of the time since the one before.
    for (before, sample) in zip(samples, samples.dropFirst()) {
      guard before.atS > -0.5, sample.atS <= elapsedS + 0.5 else { continue }
      if last == 0 { first = before.atS }
      sum += sample[keyPath: count]
      last = sample.atS
    }
    return last > first ? Double(sum) / (last - first) : 0
  }

  /// The most clients that were ready at once.
  var connectedPeak: Int { samples.reduce(0) { max($0, $1.connected) } }

  /// Failed connects, failed publishes and drops.
  var errors: Int { totals.connectFailures + totals.failedPublishes + totals.drops }

  /// CPU seconds of all nodes while it was measured; nil where no node told its own.
  var nodeSeconds: Double? {
    let parts = nodes.compactMap { $0.secondsOfCPU(until: elapsedS) }
    return parts.isEmpty ? nil : parts.reduce(0, +)
  }

  /// Of all nodes, in microseconds.
  var nodeMicrosecondsPerDelivery: Double? {
    guard let nodeSeconds, deliveriesPerSecond > 0 else { return nil }
    return nodeSeconds * 1_000_000 / (deliveriesPerSecond * max(elapsedS, LoadResult.shortest))
  }

  /// Resident memory of all nodes at each one's highest, in bytes.
  var nodeMemory: Int? { nodes.isEmpty ? nil : nodes.reduce(0) { $0 + $1.rssPeak } }

  /// What is wrong with it, in words; empty when it is good.
  var faults: [String] {
    var faults: [String] = []
    if let verdict {
      let counts: [(Int, String)] =
        [
          (verdict.lost, "lost"), (verdict.duplicated, "duplicated"), (verdict.reordered, "reordered"),
          (verdict.undetected, "undetected gaps"),
        ] + verdict.others.sorted { $0.key < $1.key }.map { ($0.value, $0.key.replacing("_", with: " ")) }
      faults = counts.filter { $0.0 > 0 }.map { "\(Figure.count($0.0)) \($0.1)" }
    }
    return faults + failures
  }
}

extension NodeSeries {
  var rssPeak: Int { samples.reduce(0) { max($0, $1.rss) } }
  var coresPeak: Double { samples.reduce(0) { max($0, $1.cores ?? 0) } }
  var connectionsPeak: Int { samples.reduce(0) { max($0, $1.connections) } }

  /// From the start of measuring.
  func secondsOfCPU(until end: Double) -> Double? {
    var seconds: Double?
    for (before, sample) in zip(samples, samples.dropFirst()) {
      guard let cores = sample.cores, sample.atS > 0, before.atS < end else { continue }
      let from = max(before.atS, 0)
      seconds = (seconds ?? 0) + cores * max(min(sample.atS, end) - from, 0)
    }
    return seconds
  }

  /// Over the time that was measured.
  func meanCores(until end: Double) -> Double? {
    secondsOfCPU(until: end).map { $0 / max(end, 0.001) }
  }
}

extension LoadTiming {
  /// For a person.
  var title: String {
    switch self {
    case .delivery: "delivery"
    case .publish: "publish"
    case .connect: "connect"
    case .away: "away"
    case .catchUp: "catch-up"
    }
  }

  /// What is timed.
  var meaning: String {
    switch self {
    case .delivery: "from when a publish was due to its arrival"
    case .publish: "from when a publish was due to its answer"
    case .connect: "from the dial to the last channel subscribed"
    case .away: "without any connection, after one ended"
    case .catchUp: "from being ready again to having all that was missed"
    }
  }
}
