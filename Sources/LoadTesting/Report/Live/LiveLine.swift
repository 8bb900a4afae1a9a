/// How a run goes, for a log: a line every few seconds, and one for whatever happens.
public struct LiveLine: Sendable {
  private var progress: LiveProgress
  private let seconds: Double
  private var lastAt: Double?

  /// - Parameter seconds: between two lines.
  public init(title: String, wanted: Int? = nil, every seconds: Double = 5) {
    progress = LiveProgress(title: title, wanted: wanted)
    self.seconds = seconds
  }

  public mutating func phase(_ text: String) -> String {
    progress.phase = text
    return "\(progress.title): \(text)"
  }

  public mutating func mark(_ mark: LoadMark) -> String {
    "\(Figure.clock(mark.atS))  \(mark.kind.rawValue): \(mark.text)"
  }

  /// Nil while the last line is not old enough.
  public mutating func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?) -> String? {
    progress.heard(sample, totals: totals, expected: expected)
    if let lastAt, sample.atS - lastAt < seconds - 0.5, sample.atS >= lastAt { return nil }
    lastAt = sample.atS
    var parts = ["\(progress.connections) connected"]
    if totals.publishes > 0 || sample.delivered > 0 {
      parts.append("\(Figure.rate(Double(sample.published))) published")
      parts.append("\(Figure.rate(Double(sample.delivered))) delivered")
      if let p50 = sample.deliveryP50Us, let p99 = sample.deliveryP99Us, let max = sample.deliveryMaxUs {
        parts.append("p50 \(Figure.time(p50)), p99 \(Figure.time(p99)), max \(Figure.time(max))")
      }
    }
    parts.append("\(Figure.count(progress.errors)) errors")
    parts.append("driver \(Figure.cores(sample.driverCores)) cores, \(Figure.time(sample.driverLagUs)) late")
    return "\(Figure.clock(sample.atS))  \(parts.joined(separator: "; "))"
  }
}
