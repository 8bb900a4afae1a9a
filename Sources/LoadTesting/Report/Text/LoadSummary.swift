/// The result as a person reads it at the end of a run.
public struct LoadSummary: CustomStringConvertible {
  public let lines: [String]
  public var description: String { lines.joined(separator: "\n") }

  public init(_ result: LoadResult, style: TextStyle = .plain) {
    var writer = SummaryWriter(result: result, style: style)
    writer.write()
    lines = writer.lines
  }
}

private struct SummaryWriter {
  let result: LoadResult
  let style: TextStyle
  var lines: [String] = []

  private static let column = 15

  mutating func write() {
    head()
    totals()
    timings()
    figures()
    verdict()
    nodes()
    driver()
    end()
  }

  private mutating func row(_ name: String, _ text: String, _ tone: TextStyle.Tone? = nil) {
    let blanks = String(repeating: " ", count: max(1, Self.column - 2 - name.count))
    lines.append("  \(style(.quiet, name))\(blanks)\(style(tone, text))")
  }

  private mutating func gap() { lines.append("") }

  private mutating func head() {
    lines.append(
      "\(style(.strong, "sluice load \(result.scenario)")), \(Figure.duration(result.elapsedS)) measured"
    )
    let plan = result.plan.map { "\($0.name) \($0.value)" }
    for line in wrapped(plan, separator: " · ", width: 96) { lines.append("  \(style(.quiet, line))") }
    gap()
  }

  private mutating func totals() {
    let totals = result.totals
    if totals.publishes > 0 {
      var text = "\(Figure.count(totals.publishes)), \(Figure.rate(result.publishesPerSecond))"
      text += "; \(Figure.count(totals.acknowledged)) acknowledged"
      text += ", \(Figure.count(totals.failedPublishes)) failed"
      row("publishes", text, totals.failedPublishes > 0 ? .warning : nil)
    }
    if totals.publishes > 0 || totals.deliveries > 0 {
      row(
        "deliveries",
        "\(Figure.count(totals.deliveries)), \(Figure.rate(result.deliveriesPerSecond)); "
          + "\(Figure.bytes(totals.deliveredBytes)) of data"
      )
    }
    let troubled = totals.drops + totals.connectFailures > 0
    row(
      "connections",
      "\(Figure.count(result.connectedPeak)) at once; \(Figure.count(totals.connects)) made, "
        + "\(Figure.count(totals.reconnects)) of them again; \(Figure.count(totals.connectFailures)) failed, "
        + "\(Figure.count(totals.drops)) dropped",
      troubled ? .warning : nil
    )
    gap()
  }

  private mutating func timings() {
    var table = TextTable(["", "count", "p50", "p90", "p99", "p99.9", "max"])
    var isEmpty = true
    func add(_ name: String, _ times: TimeDistribution) {
      guard times.count > 0 else { return }
      isEmpty = false
      let values = [50, 90, 99, 99.9].map { TextTable.Cell(Figure.time(times.percentile($0))) }
      table.add(
        [TextTable.Cell(name, .quiet), "\(Figure.count(times.count))"] + values + [
          "\(Figure.time(times.max))"
        ]
      )
    }
    for timing in LoadTiming.allCases {
      guard let times = result.timings[timing] else { continue }
      add(timing.title, times)
      if timing == .away {
        for (transport, times) in result.away.sorted(by: { $0.key < $1.key }) { add("  \(transport)", times) }
      }
    }
    if result.timings[.away] == nil {
      for (transport, times) in result.away.sorted(by: { $0.key < $1.key }) {
        add("away, \(transport)", times)
      }
    }
    guard !isEmpty else { return }
    lines += table.lines(indent: "  ", style)
    gap()
  }

  private mutating func figures() {
    let width = result.figures.map(\.name.count).max() ?? 0
    for figure in result.figures {
      row(figure.name + String(repeating: " ", count: width + 1 - figure.name.count), figure.value)
    }
    for peak in result.peaks {
      let planned = peak.planned.map { "; \(Figure.amount($0)) planned" } ?? ""
      row("peak", "\(Figure.count(peak.count)) connections within 100 ms to \(peak.node)\(planned)")
    }
    if !result.figures.isEmpty || !result.peaks.isEmpty { gap() }
  }

  private mutating func verdict() {
    if let verdict = result.verdict {
      let counts =
        "\(Figure.count(verdict.lost)) lost, \(Figure.count(verdict.duplicated)) duplicated, "
        + "\(Figure.count(verdict.reordered)) reordered, \(Figure.count(verdict.undetected)) undetected gaps"
      let others = verdict.others.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        .map { ", \(Figure.count($0.value)) \($0.key.replacing("_", with: " "))" }.joined()
      row(
        "verdict",
        "\(counts)\(others); \(Figure.count(verdict.subscribers)) subscribers checked",
        verdict.isClean ? .good : .bad
      )
      let gaps = verdict.gaps.filter { $0.value > 0 }.sorted { $0.key < $1.key }
      if !gaps.isEmpty {
        row("", "gaps told: \(gaps.map { "\(Figure.count($0.value)) \($0.key)" }.joined(separator: ", "))")
      }
      if !verdict.isClean { for example in verdict.examples { row("", example) } }
    } else {
      row("verdict", "nothing was published, so nothing could be lost", .quiet)
    }
  }

  private mutating func nodes() {
    guard !result.nodes.isEmpty else { return }
    gap()
    var table = TextTable(
      ["NODE", "CORES", "PEAK", "MEMORY PEAK", "CONNECTIONS PEAK", "AT THE END"],
      leftColumns: [0, 5]
    )
    for node in result.nodes {
      table.add([
        TextTable.Cell(node.node),
        TextTable.Cell(node.meanCores(until: result.elapsedS).map(Figure.cores) ?? "-"),
        TextTable.Cell(Figure.cores(node.coresPeak)),
        TextTable.Cell(Figure.bytes(node.rssPeak)),
        TextTable.Cell(Figure.count(node.connectionsPeak)),
        TextTable.Cell(node.samples.last?.state ?? "-"),
      ])
    }
    lines += table.lines(indent: "  ", style)
    if let each = result.nodeMicrosecondsPerDelivery {
      row("", "\(Figure.time(each)) of the nodes' CPU per delivery", .quiet)
    }
    gap()
  }

  private mutating func driver() {
    let driver = result.driver
    let processes = driver.processes > 1 ? "\(driver.processes) processes, " : ""
    row(
      "driver",
      "\(processes)\(Figure.cores(driver.cores)) of \(driver.coresAvailable) cores, at most "
        + "\(Figure.cores(driver.coresPeak)); late p99 \(Figure.time(driver.lagP99Us)), at most "
        + "\(Figure.time(driver.lagMaxUs)); \(Figure.bytes(driver.rss))"
    )
    if let limit = driver.limit { row("", "the driver, not the server, was the limit: \(limit)", .warning) }
  }

  private mutating func end() {
    gap()
    for failure in result.failures { row("failed", failure, .bad) }
    if result.isGood {
      lines.append(style(.good, "PASS"))
    } else {
      lines.append(style(.bad, "FAIL: \(result.faults.joined(separator: "; "))"))
    }
  }

  private func wrapped(_ parts: [String], separator: String, width: Int) -> [String] {
    var lines: [String] = []
    for part in parts {
      if let last = lines.last, last.count + separator.count + part.count <= width {
        lines[lines.count - 1] = last + separator + part
      } else {
        lines.append(part)
      }
    }
    return lines
  }
}
