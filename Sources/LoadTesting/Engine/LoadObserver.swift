/// Hears how a run goes, from one task at a time and in order; the run waits for it, so it must be quick.
public protocol LoadObserver: Sendable {
  /// What is being done now, for a person: `connecting 9000 clients`.
  func phase(_ text: String)
  /// A second is over.
  /// - Parameters:
  ///   - totals: since the first dial.
  ///   - expected: how many seconds will be measured in all, as far as that is known.
  func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?)
  /// Something happened that belongs in every plot.
  func mark(_ mark: LoadMark)
}
