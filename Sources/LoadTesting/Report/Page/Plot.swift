/// Lines over a horizontal axis, to be drawn.
struct Plot {
  enum Unit: String {
    case time, rate, count, cores, bytes

    func text(_ value: Double) -> String {
      switch self {
      case .time: Figure.time(value)
      case .rate: Figure.rate(value)
      case .count: Figure.amount(value)
      case .cores: Figure.trimmed(value, 2)
      case .bytes: Figure.bytes(value)
      }
    }

    /// At an axis, where the unit stands in the title already.
    func tick(_ value: Double) -> String {
      switch self {
      case .rate, .count: Figure.compact(value)
      case .bytes: value == 0 ? "0" : Figure.trimmedBytes(value)
      case .time: value == 0 ? "0" : Figure.trimmedTime(value)
      case .cores: Figure.trimmed(value, 2)
      }
    }
  }

  struct Point {
    var x: Double
    /// Nil where there is nothing: the line is broken there.
    var y: Double?
  }

  struct Series {
    enum Look: String {
      case solid, dashed, dotted
    }

    var name: String
    /// From 1, of the page's palette.
    var color: Int
    var look = Look.solid
    /// What stands beside its name while nobody asks for a moment.
    var summary: String
    var points: [Point]
  }

  enum Axis {
    /// Seconds since the start.
    case time
    /// Shares of all, drawn as the logarithm of one by what is left: 0, 50, 90, 99, 99.9 %.
    case percentile
  }

  var id: String
  var title: String
  /// The unit of the vertical axis and what it says, in words.
  var note: String
  var unit: Unit
  var axis = Axis.time
  var isLogarithmic = false
  /// What the axis must reach at least, such as all cores of a machine; nil when only the points say.
  var reaches: Double?
  var series: [Series]

  var least: Double { series.lazy.flatMap(\.points).compactMap(\.y).filter { $0 > 0 }.min() ?? 1 }
  var most: Double {
    Swift.max(series.lazy.flatMap(\.points).compactMap(\.y).max() ?? 0, reaches ?? 0)
  }

  var ticks: [Double] {
    if isLogarithmic { return Ticks.logarithmic(Swift.max(least, 1), Swift.max(most, 1)) }
    return unit == .bytes
      ? Ticks.binary(to: most) : Ticks.linear(to: unit == .count ? Swift.max(most, 4) : most)
  }
}

extension Plot.Series {
  /// With about so many points at the most: of several the highest when `isHighest`, else their mean.
  func thinned(to limit: Int, isHighest: Bool) -> Plot.Series {
    guard points.count > limit else { return self }
    let size = (points.count + limit - 1) / limit
    var series = self
    series.points = stride(from: 0, to: points.count, by: size).map { start in
      let group = points[start..<Swift.min(start + size, points.count)]
      let values = group.compactMap(\.y)
      let last = group[group.endIndex - 1].x
      guard let most = values.max() else { return Plot.Point(x: last, y: nil) }
      return Plot.Point(x: last, y: isHighest ? most : values.reduce(0, +) / Double(values.count))
    }
    return series
  }
}

extension Figure {
  /// `120k`, `1.5M`
  static func compact(_ number: Double) -> String {
    let size = abs(number)
    if size < 1_000 { return trimmed(number, size < 10 ? 2 : 0) }
    return size < 999_500 ? "\(trimmed(number / 1_000, 2))k" : "\(trimmed(number / 1_000_000, 2))M"
  }

  /// Without decimals in vain: `2 ms`.
  static func trimmedTime(_ microseconds: Double) -> String {
    if microseconds < 999.5 { return "\(trimmed(microseconds, 2)) µs" }
    return microseconds < 999_500
      ? "\(trimmed(microseconds / 1_000, 2)) ms" : "\(trimmed(microseconds / 1_000_000, 2)) s"
  }

  static func trimmedBytes(_ bytes: Double) -> String {
    var amount = bytes
    var units = ["B", "KiB", "MiB", "GiB", "TiB"][...]
    while abs(amount) >= 1_024, units.count > 1 {
      amount /= 1_024
      units.removeFirst()
    }
    return "\(trimmed(amount, 2)) \(units.first ?? "")"
  }
}
