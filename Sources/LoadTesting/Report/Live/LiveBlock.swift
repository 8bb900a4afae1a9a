/// How a run goes, as a block of lines that is drawn anew in its place.
public struct LiveBlock: Sendable {
  private var progress: LiveProgress
  private let style: TextStyle
  /// How many lines stand on the screen.
  private var drawn = 0

  /// Moments that are shown, the newest last.
  private static let marksShown = 4
  private static let bars = Array("▁▂▃▄▅▆▇█")
  private static let eighths = Array("▏▎▍▌▋▊▉")

  public init(title: String, wanted: Int? = nil, style: TextStyle) {
    progress = LiveProgress(title: title, wanted: wanted)
    self.style = style
  }

  public mutating func phase(_ text: String) { progress.phase = text }
  public mutating func mark(_ mark: LoadMark) { progress.marks.append(mark) }

  public mutating func sample(_ sample: LoadSample, totals: LoadTotals, expected: Double?) {
    progress.heard(sample, totals: totals, expected: expected)
  }

  /// What draws the block over the one before.
  /// - Parameter columns: of the terminal.
  public mutating func redraw(columns: Int) -> String {
    let lines = lines(columns: columns)
    let up = drawn > 0 ? "\u{1b}[\(drawn)A\r" : "\r"
    drawn = lines.count
    return up + lines.map { "\($0)\u{1b}[K\n" }.joined() + "\u{1b}[J"
  }

  /// What takes the block away.
  public mutating func erase() -> String {
    defer { drawn = 0 }
    return drawn > 0 ? "\u{1b}[\(drawn)A\r\u{1b}[J" : ""
  }

  /// No line is wider than the terminal less one, so that none ever wraps.
  func lines(columns: Int) -> [String] {
    let width = max(20, columns - 1)
    return toneLines(width: width).map { $0.text(width: width, style) }
  }

  private func toneLines(width: Int) -> [ToneLine] {
    var head = ToneLine(progress.title, .strong)
    head.add("  \(progress.phase)")
    var lines = [head, bar(width: min(width, 100))]
    guard let sample = progress.sample else { return lines }
    lines.append(
      row("connections", progress.connections, [("", Figure.rate(Double(sample.connects)) + " connects")])
    )
    if progress.totals.publishes > 0 || sample.delivered > 0 {
      lines.append(
        row(
          "publishes",
          Figure.rate(Double(sample.published)),
          [("in all", Figure.count(progress.totals.publishes))]
        )
      )
      var deliveries = row(
        "deliveries",
        Figure.rate(Double(sample.delivered)),
        [("in all", Figure.count(progress.totals.deliveries))]
      )
      if width >= 70 {
        deliveries.column(50)
        deliveries.add(sparkline(width: min(30, width - 52)), .accent)
      }
      lines.append(deliveries)
      lines.append(latency(sample))
    }
    lines.append(errors)
    lines.append(driver(sample))
    lines += progress.marks.suffix(LiveBlock.marksShown).map(LiveBlock.line)
    return lines
  }

  private func row(_ name: String, _ value: String, _ more: [(name: String, value: String)]) -> ToneLine {
    var line = ToneLine("  \(name)", .quiet)
    line.column(15)
    line.add(value, .strong)
    for item in more {
      line.column(32)
      line.add(item.name.isEmpty ? "" : "\(item.name) ", .quiet)
      line.add(item.value)
    }
    return line
  }

  private func latency(_ sample: LoadSample) -> ToneLine {
    var line = ToneLine("  latency", .quiet)
    var column = 15
    for (name, value) in [
      ("p50", sample.deliveryP50Us), ("p99", sample.deliveryP99Us), ("max", sample.deliveryMaxUs),
    ] {
      line.column(column)
      line.add("\(name) ", .quiet)
      line.add(value.map { Figure.time($0) } ?? "-", .strong)
      column += 17
    }
    return line
  }

  private var errors: ToneLine {
    let totals = progress.totals
    var line = ToneLine("  errors", .quiet)
    line.column(15)
    line.add(Figure.count(progress.errors), progress.errors > 0 ? .bad : .good)
    if progress.errors > 0 {
      line.column(32)
      line.add(
        "\(Figure.count(totals.connectFailures)) connects, \(Figure.count(totals.failedPublishes)) publishes, "
          + "\(Figure.count(totals.drops)) drops"
      )
    }
    return line
  }

  private func driver(_ sample: LoadSample) -> ToneLine {
    var line = ToneLine("  driver", .quiet)
    line.column(15)
    line.add("\(Figure.cores(sample.driverCores)) cores")
    line.column(32)
    line.add("late ", .quiet)
    line.add(Figure.time(sample.driverLagUs), sample.driverLagUs > 50_000 ? .warning : nil)
    return line
  }

  private static func line(_ mark: LoadMark) -> ToneLine {
    var line = ToneLine("  \(Figure.clock(mark.atS))", .quiet)
    line.column(15)
    let tone: TextStyle.Tone? =
      switch mark.kind {
      case .phase: nil
      case .drain: .warning
      case .fault: .bad
      }
    line.add(mark.text, tone)
    return line
  }

  private func bar(width: Int) -> ToneLine {
    let clock = progress.clock
    guard let part = progress.part else { return ToneLine("  \(clock)") }
    let percent = "\(Int(part * 100)) %"
    let room = max(8, width - clock.count - 12)
    let cells = part * Double(room)
    var bar = String(repeating: "█", count: Int(cells))
    let rest = Int((cells - cells.rounded(.down)) * 8)
    if rest > 0 { bar.append(LiveBlock.eighths[rest - 1]) }
    var line = ToneLine("  ")
    line.add(bar, .accent)
    line.add(String(repeating: "░", count: max(0, room - bar.count)), .quiet)
    line.add("  \(String(repeating: " ", count: max(0, 5 - percent.count)))\(percent)", .strong)
    line.add("  \(clock)", .quiet)
    return line
  }

  private func sparkline(width: Int) -> String {
    let values = progress.recent.suffix(width)
    guard let most = values.max(), most > 0 else { return "" }
    return String(values.map { LiveBlock.bars[$0 * (LiveBlock.bars.count - 1) / most] })
  }
}
