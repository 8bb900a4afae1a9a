import Foundation

/// A distribution as a line: across, how rare; upward, how long.
enum PercentileCurve {
  /// Steps of one power of ten.
  private static let resolution = 60.0

  /// Where a share of all stands: 0 at none, 1 at 90 %, 2 at 99 %.
  static func place(_ share: Double) -> Double { -log10(max(1 - share, 1e-12)) }

  /// The last is the longest time, at the place of one among all.
  static func points(_ times: TimeDistribution) -> [Plot.Point] {
    guard times.count > 0 else { return [] }
    let all = Double(times.count)
    let end = place(1 - 1 / max(all, 2))
    var points: [Plot.Point] = []
    var seen = 0
    var lastStep = -1
    for (microseconds, count) in times.recorded() {
      let begin = min(place(Double(seen) / all), end)
      seen += count
      let step = Int(begin * resolution)
      let point = Plot.Point(x: begin, y: Double(microseconds))
      if step == lastStep, points.count > 1 {
        points[points.count - 1] = point
      } else {
        points.append(point)
      }
      lastStep = step
    }
    points.append(Plot.Point(x: end, y: Double(times.max)))
    return points
  }

  /// Nine tenths, and each power of ten nearer to all.
  static func ticks(to last: Double) -> [(x: Double, text: String)] {
    var ticks: [(x: Double, text: String)] = [(0.0, "0 %"), (place(0.5), "50 %"), (1, "90 %"), (2, "99 %")]
    var digits = "99.9"
    var x = 3.0
    while x <= last + 0.01 {
      ticks.append((x, "\(digits) %"))
      digits += "9"
      x += 1
    }
    return ticks.filter { $0.x <= last + 0.01 }
  }
}
