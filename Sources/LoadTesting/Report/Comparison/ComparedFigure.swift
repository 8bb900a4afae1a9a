/// One figure of several runs, side by side.
public struct ComparedFigure: Sendable {
  public enum Change: String, Sendable, Encodable {
    case better, worse
    /// Runs of the same thing differ as much.
    case noise
  }

  enum Direction: Sendable {
    case lessIsBetter, moreIsBetter
    /// It depends.
    case neither
  }

  public let name: String
  let unit: Plot.Unit
  let direction: Direction
  /// Nil where a run has no such figure.
  let values: [NoisyFigure?]

  /// To the first; nil where there is nothing to divide, or by.
  public func ratio(_ index: Int) -> Double? {
    guard index > 0, let first = values[0]?.value, let value = values[index]?.value else { return nil }
    return first == 0 ? (value == 0 ? 1 : nil) : value / first
  }

  /// From the first; nil where one cannot say.
  public func change(_ index: Int) -> Change? {
    guard index > 0, direction != .neither, let first = values[0], let value = values[index] else {
      return nil
    }
    guard first.low.isFinite, value.low.isFinite else { return nil }
    if value.low <= first.high, first.low <= value.high { return .noise }
    return (value.value < first.value) == (direction == .lessIsBetter) ? .better : .worse
  }

  /// Whether it got worse, beyond noise, by more than `limit` times.
  func exceeds(_ limit: Double, _ index: Int) -> Bool {
    guard change(index) == .worse else { return false }
    guard let ratio = ratio(index) else { return true }
    return (direction == .lessIsBetter ? ratio : 1 / max(ratio, 1e-9)) > limit
  }

  func text(_ index: Int) -> String { values[index].map { unit.text($0.value) } ?? "-" }
}

extension ComparedFigure: Encodable {
  private enum CodingKeys: String, CodingKey { case name, unit, values, ratios, changes }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    let unit =
      switch unit {
      case .time: "us"
      case .rate: "per_second"
      case .bytes: "bytes"
      case .cores: "cores"
      case .count: "count"
      }
    try container.encode(unit, forKey: .unit)
    try container.encode(values.map { $0?.value }, forKey: .values)
    try container.encode(values.indices.map(ratio), forKey: .ratios)
    try container.encode(values.indices.map(change), forKey: .changes)
  }
}
