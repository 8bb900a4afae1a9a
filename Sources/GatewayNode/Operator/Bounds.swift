/// Numbers of others are believed within bounds: sums and products of what they made up would end the process.
extension Comparable {
  func clamped(to bounds: ClosedRange<Self>) -> Self { min(max(self, bounds.lowerBound), bounds.upperBound) }
}

extension Double {
  /// Rounded to a whole number that has a text of reasonable length.
  func whole(_ rule: FloatingPointRoundingRule = .toNearestOrAwayFromZero) -> Int {
    isNaN ? 0 : Int(rounded(rule).clamped(to: -1e15...1e15))
  }
}
