import Foundation

/// The points of all plots, for the script that reads them out.
struct PlotData: Encodable {
  struct Line: Encodable {
    let x: [Double]
    let y: [Double?]
  }

  struct Drawn: Encodable {
    let unit: String
    let axis: String
    let first: Double
    let last: Double
    let lines: [Line]
  }

  private(set) var plots: [String: Drawn] = [:]

  mutating func add(_ plot: Plot, first: Double, last: Double) {
    func rounded(_ number: Double) -> Double { (number * 1_000).rounded() / 1_000 }
    plots[plot.id] = Drawn(
      unit: plot.unit.rawValue,
      axis: plot.axis == .time ? "time" : "percentile",
      first: rounded(first),
      last: rounded(last),
      lines: plot.series.map { series in
        Line(x: series.points.map { rounded($0.x) }, y: series.points.map { $0.y.map(rounded) })
      }
    )
  }

  /// As it may stand in a page's script element.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(plots), as: UTF8.self).replacing("<", with: "\\u003c")
  }
}
