import Foundation

/// The parts of a page that are words and tables.
struct PageSections {
  let result: LoadResult

  var head: String {
    let began = Date(timeIntervalSince1970: Double(result.startedMs) / 1_000)
    let moment = began.formatted(.iso8601)
    let verdict: String
    if !result.isGood {
      verdict = result.faults.joined(separator: "; ")
    } else if let found = result.verdict {
      verdict = "nothing lost, repeated or out of order at \(Figure.count(found.subscribers)) subscribers"
    } else {
      verdict = "nothing was published, so nothing could be lost"
    }
    return """
      <header class="\(result.isGood ? "good" : "bad")">
      <p class="kind">sluice load</p>
      <h1>\(HTML.escaped(result.scenario))</h1>
      <p class="verdict"><strong>\(result.isGood ? "PASS" : "FAIL")</strong> <span>\(HTML.escaped(verdict))</span></p>
      <p class="when"><time datetime="\(moment)">\(moment.replacing("T", with: " ").replacing("Z", with: " UTC"))</time>, \
      \(Figure.duration(result.elapsedS)) measured</p>
      </header>
      """
  }

  var tiles: String {
    var tiles: [(name: String, value: String, more: String)] = [
      ("Connections", Figure.count(result.connectedPeak), "at once")
    ]
    let totals = result.totals
    if totals.publishes > 0 || totals.deliveries > 0 {
      tiles.append(
        ("Deliveries", Figure.rate(result.deliveriesPerSecond), "\(Figure.count(totals.deliveries)) in all")
      )
      tiles.append(
        ("Publishes", Figure.rate(result.publishesPerSecond), "\(Figure.count(totals.acknowledged)) in all")
      )
    }
    let timing: LoadTiming = (result.timings[.delivery]?.count ?? 0) > 0 ? .delivery : .connect
    if let times = result.timings[timing], times.count > 0 {
      let name = timing == .delivery ? "Latency" : "Connect"
      tiles.append(("\(name) p50", Figure.time(times.percentile(50)), "half were as fast"))
      tiles.append(("\(name) p99", Figure.time(times.percentile(99)), "at most \(Figure.time(times.max))"))
    }
    if let verdict = result.verdict {
      tiles.append(
        ("Lost", Figure.count(verdict.lost), "of \(Figure.count(totals.deliveries + verdict.lost)) owed")
      )
    }
    tiles.append(("Errors", Figure.count(result.errors), "connects, publishes, drops"))
    let items = tiles.map { tile in
      """
      <div><dt>\(tile.name)</dt><dd>\(HTML.escaped(tile.value)) <small>\(HTML.escaped(tile.more))</small></dd></div>
      """
    }
    return "<dl class=\"tiles\">\n\(items.joined(separator: "\n"))\n</dl>"
  }

  /// What keeps one from reading the figures as they are.
  var trouble: String {
    var parts: [String] = []
    if let limit = result.driver.limit {
      parts.append(
        """
        <section class="note warning"><h2>The driver, not the server, was the limit</h2>
        <p>\(HTML.escaped(limit)). Times and rates here say more of the machine that drove the load than of the nodes.\
        </p></section>
        """
      )
    }
    if !result.isGood {
      let examples = result.verdict?.examples ?? []
      let items = (result.faults + examples).map { "<li>\(HTML.escaped($0))</li>" }
      parts.append(
        """
        <section class="note bad"><h2>What is wrong</h2>
        <ul>\(items.joined(separator: "\n"))</ul></section>
        """
      )
    }
    return parts.joined(separator: "\n")
  }

  var times: String {
    var rows: [[String]] = []
    func add(_ name: String, _ times: TimeDistribution) {
      guard times.count > 0 else { return }
      let values = [50, 90, 99, 99.9].map { Figure.time(times.percentile($0)) }
      rows.append([name, Figure.count(times.count)] + values + [Figure.time(times.max)])
    }
    for timing in LoadTiming.allCases {
      if let times = result.timings[timing] { add(timing.title, times) }
    }
    for (transport, times) in result.away.sorted(by: { $0.key < $1.key }) { add("away, \(transport)", times) }
    guard !rows.isEmpty else { return "" }
    let meanings = LoadTiming.allCases.filter { (result.timings[$0]?.count ?? 0) > 0 }
      .map { "<b>\($0.title)</b> \($0.meaning)" }
    return HTML.table("What was timed", ["", "Count", "p50", "p90", "p99", "p99.9", "Max"], rows)
      + "\n<p class=\"meanings\">\(meanings.joined(separator: "; "))</p>"
  }

  /// The list that the numbers in the plots point to.
  var moments: String {
    guard !result.marks.isEmpty else { return "" }
    let items = result.marks.enumerated().map { index, mark in
      """
      <li class="\(mark.kind.rawValue)"><b>\(index + 1)</b> <span class="at">\(Figure.clock(mark.atS))</span> \
      \(HTML.escaped(mark.text))</li>
      """
    }
    return
      "<ol class=\"moments\" aria-label=\"Moments marked in the plots\">\n\(items.joined(separator: "\n"))\n</ol>"
  }

  var tables: String {
    let parts = [verdict, nodes, figures, totals, driver, plan].filter { !$0.isEmpty }
    return
      "<section aria-labelledby=\"figures-title\"><h2 id=\"figures-title\">Figures</h2>\n<div class=\"tables\">\n"
      + parts.joined(separator: "\n") + "\n</div></section>"
  }

  private var verdict: String {
    guard let verdict = result.verdict else { return "" }
    var rows = [
      ["Subscribers checked", Figure.count(verdict.subscribers)],
      ["Lost", Figure.count(verdict.lost)],
      ["Duplicated", Figure.count(verdict.duplicated)],
      ["Reordered", Figure.count(verdict.reordered)],
      ["Undetected gaps", Figure.count(verdict.undetected)],
    ]
    for (name, count) in verdict.others.sorted(by: { $0.key < $1.key }) {
      rows.append([name.replacing("_", with: " ").capitalizedAtStart, Figure.count(count)])
    }
    for (reason, count) in verdict.gaps.sorted(by: { $0.key < $1.key }) {
      rows.append(["Gaps told: \(reason)", Figure.count(count)])
    }
    return HTML.table("The verdict of the delivery checker", ["", "Count"], rows)
  }

  private var nodes: String {
    guard !result.nodes.isEmpty else { return "" }
    let rows = result.nodes.map { node in
      [
        node.node, node.meanCores(until: result.elapsedS).map(Figure.cores) ?? "-",
        Figure.cores(node.coresPeak),
        Figure.bytes(node.rssPeak), Figure.count(node.connectionsPeak), node.samples.last?.state ?? "-",
      ]
    }
    let head = ["Node", "Cores", "Peak", "Memory peak", "Connections peak", "At the end"]
    let cost =
      result.nodeMicrosecondsPerDelivery
      .map { ": \(Figure.time($0)) of their CPU per delivery" } ?? ""
    return HTML.table("The nodes\(cost)", head, rows)
  }

  private var figures: String {
    var rows = result.figures.map { [$0.name.capitalizedAtStart, $0.value] }
    for peak in result.peaks {
      let planned = peak.planned.map { ", \(Figure.amount($0)) planned" } ?? ""
      rows.append(["Most connections within 100 ms to \(peak.node)", "\(Figure.count(peak.count))\(planned)"])
    }
    return rows.isEmpty ? "" : HTML.table("What the scenario measured", ["", ""], rows)
  }

  private var totals: String {
    let totals = result.totals
    let rows = [
      ["Publishes due", Figure.count(totals.publishes)], ["Acknowledged", Figure.count(totals.acknowledged)],
      ["Failed publishes", Figure.count(totals.failedPublishes)],
      ["Deliveries", Figure.count(totals.deliveries)],
      ["Data delivered", Figure.bytes(totals.deliveredBytes)], ["Connects", Figure.count(totals.connects)],
      ["Of them again", Figure.count(totals.reconnects)],
      ["Failed connects", Figure.count(totals.connectFailures)],
      ["Drops", Figure.count(totals.drops)],
    ]
    return HTML.table("Totals", ["", "Count"], rows)
  }

  private var driver: String {
    let driver = result.driver
    let rows = [
      ["Processes", Figure.count(driver.processes)],
      ["Cores on average", "\(Figure.cores(driver.cores)) of \(driver.coresAvailable)"],
      ["Cores at the most", Figure.cores(driver.coresPeak)],
      ["Its loops were late, p99", Figure.time(driver.lagP99Us)],
      ["Its loops were late, at most", Figure.time(driver.lagMaxUs)],
      ["Memory", Figure.bytes(driver.rss)],
      ["It was the limit", driver.limit == nil ? "no" : "yes"],
    ]
    return HTML.table("The driver, which is this load test itself", ["", ""], rows)
  }

  private var plan: String {
    HTML.table("The plan", ["Setting", "Value"], result.plan.map { [$0.name, $0.value] }, isNumeric: false)
  }
}

extension String {
  fileprivate var capitalizedAtStart: String { prefix(1).uppercased() + dropFirst() }
}
