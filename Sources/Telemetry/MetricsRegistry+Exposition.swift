extension MetricsRegistry {
  /// The content type of `exposition`.
  public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  /// Every metric in Prometheus's text format 0.0.4. Called from any thread; callbacks run on it.
  public func exposition() -> String {
    var text = ""
    for family in snapshot() {
      text += "# HELP \(family.name) \(MetricsRegistry.escaped(family.help, quotes: false))\n"
      text += "# TYPE \(family.name) \(family.kind.rawValue)\n"
      for series in family.series { series.write(family.name, to: &text) }
    }
    return text
  }
}

extension MetricsRegistry.Series {
  fileprivate func write(_ name: String, to text: inout String) {
    let histograms = sources.compactMap { source -> Histogram? in
      if case .histogram(let histogram) = source { histogram } else { nil }
    }
    if histograms.isEmpty {
      guard let scalar = scalar() else { return }
      text += "\(name)\(braced()) \(scalar)\n"
    } else {
      write(histograms, name, to: &text)
    }
  }

  private func write(_ histograms: [Histogram], _ name: String, to text: inout String) {
    let bounds = histograms[0].bounds
    var counts = [UInt64](repeating: 0, count: bounds.count + 1)
    for histogram in histograms {
      precondition(histogram.bounds == bounds, "histograms of \(name) have the same buckets")
      for (index, count) in histogram.counts.enumerated() { counts[index] += count }
    }
    var total: UInt64 = 0
    for (index, count) in counts.enumerated() {
      total += count
      let bound = index < bounds.count ? decimal(bounds[index]) : "+Inf"
      text += "\(name)_bucket\(braced(and: "le=\"\(bound)\"")) \(total)\n"
    }
    text += "\(name)_sum\(braced()) \(decimal(histograms.reduce(0) { $0 + $1.sum }))\n"
    text += "\(name)_count\(braced()) \(total)\n"
  }

  /// Whole numbers are summed as such: a counter stays exact beyond 2^53. Nil where a part is not known.
  private func scalar() -> String? {
    var whole: UInt64 = 0
    var level = 0
    var fraction = 0.0
    for source in sources {
      switch source {
      case .counter(let counter): whole &+= counter.value
      case .gauge(let gauge): level &+= gauge.value
      case .callback(let read):
        guard let value = read() else { return nil }
        fraction += value
      case .histogram: break
      }
    }
    if fraction != 0 || fraction.isNaN { return decimal(Double(whole) + Double(level) + fraction) }
    return level == 0 ? "\(whole)" : "\(Int(truncatingIfNeeded: whole) &+ level)"
  }

  private func decimal(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return Int(exactly: value).map(String.init) ?? value.description
  }

  private func braced(and label: String = "") -> String {
    let all = [labels, label].filter { !$0.isEmpty }.joined(separator: ",")
    return all.isEmpty ? "" : "{\(all)}"
  }
}
