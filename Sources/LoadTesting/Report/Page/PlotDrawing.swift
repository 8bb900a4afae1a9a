import Foundation

/// Draws a plot as SVG. Places across are percentages and text is in pixels, so that it fills any width and stays
/// readable; only the lines are stretched.
struct PlotDrawing {
  let plot: Plot
  /// The ends of the horizontal axis.
  let first: Double
  let last: Double
  let marks: PlotMarks
  private let ticks: [Double]

  init(_ plot: Plot, first: Double, last: Double, marks: [LoadMark]) {
    self.plot = plot
    self.first = first
    self.last = last
    self.marks = PlotMarks(plot.axis == .time ? marks : [], first: first, last: last)
    ticks = plot.ticks
  }

  private static let height = 170
  /// Units that the stretched lines are drawn in.
  private static let unitsAcross = 10_000.0
  private static let unitsDown = 1_700.0

  static func percent(_ part: Double) -> String { "\(Figure.trimmed(part * 100, 2))%" }

  private var top: Int { marks.height + 8 }
  private var bottom: Int { top + PlotDrawing.height }

  /// A figure with its title, its legend and its drawing.
  func figure() -> String {
    let legend = plot.series.enumerated().map { index, series in
      """
      <li class="s\(series.color) \(series.look.rawValue)" data-series="\(index)"><svg class="key" aria-hidden="true" \
      width="22" height="8"><line x1="0" x2="22" y1="4" y2="4"/></svg>\(HTML.escaped(series.name)) \
      <span class="value">\(HTML.escaped(series.summary))</span></li>
      """
    }
    return """
      <figure class="plot" id="\(plot.id)" tabindex="0" aria-describedby="\(plot.id)-note">
      <figcaption><h3>\(HTML.escaped(plot.title))</h3><p id="\(plot.id)-note">\(HTML.escaped(plot.note))</p></figcaption>
      <ul class="legend">\(legend.joined())<li class="moment" aria-live="polite"></li></ul>
      <div class="frame">\(svg())</div>
      </figure>
      """
  }

  private func svg() -> String {
    let summary = plot.series.map { "\($0.name) \($0.summary)" }.joined(separator: "; ")
    return """
      <svg role="img" aria-label="\(HTML.escaped("\(plot.title): \(summary)"))" width="100%" height="\(bottom + 24)">
      \(background)
      \(verticalAxis)
      \(horizontalAxis)
      <svg x="0" y="\(top)" width="100%" height="\(PlotDrawing.height)" \
      viewBox="0 0 \(Int(PlotDrawing.unitsAcross)) \(Int(PlotDrawing.unitsDown))" preserveAspectRatio="none">
      \(lines)
      </svg>
      \(marks.svg(bottom: bottom))
      <line class="cursor" x1="0" x2="0" y1="\(top)" y2="\(bottom)" visibility="hidden"/>
      </svg>
      """
  }

  /// What lies before the measuring is told apart from it.
  private var background: String {
    guard plot.axis == .time, first < 0 else { return "" }
    let part = min(1, -first / max(last - first, 0.001))
    return """
      <rect class="before" x="0" y="\(top)" width="\(PlotDrawing.percent(part))" height="\(PlotDrawing.height)">\
      <title>not measured</title></rect>
      """
  }

  private var verticalAxis: String {
    ticks.map { tick in
      let y = Double(top) + (1 - rise(tick)) * Double(PlotDrawing.height)
      let place = Figure.trimmed(y, 1)
      return """
        <line class="grid" x1="0" x2="100%" y1="\(place)" y2="\(place)"/>\
        <text class="tick" x="-8" y="\(Figure.trimmed(y + 4, 1))" text-anchor="end">\(plot.unit.tick(tick))</text>
        """
    }.joined(separator: "\n")
  }

  private var horizontalAxis: String {
    let ticks: [(place: Double, text: String)] =
      switch plot.axis {
      case .time: Ticks.seconds(first, last).map { (across($0), Figure.clock($0)) }
      case .percentile: PercentileCurve.ticks(to: last).map { (across($0.x), $0.text) }
      }
    return ticks.enumerated().map { index, tick in
      let x = PlotDrawing.percent(tick.place)
      // Every second one gives way on a narrow screen.
      return """
        <g\(index.isMultiple(of: 2) ? "" : " class=\"odd\"")><line class="grid" x1="\(x)" x2="\(x)" y1="\(bottom)" \
        y2="\(bottom + 5)"/><text class="tick" x="\(x)" y="\(bottom + 19)" text-anchor="middle">\(tick.text)</text></g>
        """
    }.joined(separator: "\n")
  }

  private var lines: String {
    // The first stands in front.
    plot.series.reversed().map { series in
      let isFilled = plot.series.count == 1 && plot.axis == .time
      let filled = isFilled ? "<path class=\"area s\(series.color)\" d=\"\(area(series.points))\"/>" : ""
      let look = "line s\(series.color) \(series.look.rawValue)"
      return "\(filled)<path class=\"\(look)\" d=\"\(path(series.points))\"/>"
    }.joined(separator: "\n")
  }

  private func path(_ points: [Plot.Point]) -> String {
    var path = ""
    var isDown = false
    for (index, point) in points.enumerated() {
      guard let y = point.y else {
        isDown = false
        continue
      }
      path += "\(isDown ? "L" : "M")\(place(point.x, y))"
      let isAlone = !isDown && (index + 1 == points.count || points[index + 1].y == nil)
      if isAlone { path += "h0" }
      isDown = true
    }
    return path
  }

  private func area(_ points: [Plot.Point]) -> String {
    let known = points.compactMap { point in point.y.map { (point.x, $0) } }
    guard let begin = known.first, let end = known.last else { return "" }
    return "M\(place(begin.0, 0))" + known.map { "L\(place($0.0, $0.1))" }.joined() + "L\(place(end.0, 0))Z"
  }

  private func place(_ x: Double, _ y: Double) -> String {
    let across = Int(clamping: across(x) * PlotDrawing.unitsAcross)
    return "\(across) \(Int(clamping: (1 - rise(y)) * PlotDrawing.unitsDown))"
  }

  private func across(_ x: Double) -> Double { (x - first) / max(last - first, 0.001) }

  /// 0 at the foot of the axis, 1 at its top.
  private func rise(_ y: Double) -> Double {
    guard let foot = ticks.first, let head = ticks.last, head > foot else { return 0 }
    guard plot.isLogarithmic else { return (y - foot) / (head - foot) }
    return min(1, max(0, (log10(max(y, foot)) - log10(foot)) / (log10(head) - log10(foot))))
  }
}
