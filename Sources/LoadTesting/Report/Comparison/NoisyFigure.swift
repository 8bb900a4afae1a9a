/// A figure of one run, and how far it could as well have been off.
struct NoisyFigure: Sendable, Equatable {
  var value: Double
  var low: Double
  var high: Double

  /// Exact, such as a count of losses.
  init(exactly value: Double) {
    self.value = value
    low = value
    high = value
  }

  /// - Parameter least: two runs of the same differ by this share of it anyway.
  init(_ value: Double, off: Double = 0, least: Double) {
    self.value = value
    let off = max(off, abs(value) * least)
    low = value - off
    high = value + off
  }

  /// Nothing is said of how exact it is: a maximum is one event.
  init(unknown value: Double) {
    self.value = value
    low = -.infinity
    high = .infinity
  }

  /// A percentile: the ranks beside it that it could have been in 95 of 100 runs, when `independent` of the times did
  /// not depend on each other; many deliveries of one publish do.
  init(_ percent: Double, of times: TimeDistribution, independent: Int, least: Double) {
    self.init(Double(times.percentile(percent)), least: least)
    let share = percent / 100
    let off = 2 * (share * (1 - share) / Double(max(independent, 1))).squareRoot()
    low = min(low, Double(times.percentile(max(0, share - off) * 100)))
    high = max(high, Double(times.percentile(min(1, share + off) * 100)))
  }

  /// As exact as the mean of `seconds` is.
  mutating func widen(by seconds: [Double]) {
    guard seconds.count > 1 else { return }
    let off = 2 * NoisyFigure.spread(seconds) / Double(seconds.count).squareRoot()
    low = min(low, value - off)
    high = max(high, value + off)
  }

  /// Like a standard deviation, but some wild values do not move it.
  private static func spread(_ values: [Double]) -> Double {
    func middle(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
    let center = middle(values)
    return 1.4826 * middle(values.map { abs($0 - center) })
  }
}
