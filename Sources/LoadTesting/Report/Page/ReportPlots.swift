/// What is drawn of a result.
struct ReportPlots {
  let result: LoadResult

  /// Points of one line at the most.
  private static let limit = 600

  /// The ends of the axis of time.
  var first: Double { min(0, (result.samples.first?.atS ?? 0), result.marks.first?.atS ?? 0) }
  var last: Double {
    max(result.elapsedS, result.samples.last?.atS ?? 0, result.marks.last?.atS ?? 0, first + 1)
  }

  var overTime: [Plot] {
    [deliveries, publishes, latency, connections, errors, nodeCores, nodeMemory, nodeConnections, driver]
      .compactMap { $0 }
  }

  private var hasPublishes: Bool { result.totals.publishes > 0 || result.totals.deliveries > 0 }

  private var deliveries: Plot? {
    guard hasPublishes else { return nil }
    let mean = "\(Figure.rate(result.deliveriesPerSecond)) on average"
    return Plot(
      id: "deliveries",
      title: "Deliveries",
      note: "messages that arrived at subscribers, each second",
      unit: .rate,
      series: [line("delivered", 1, mean) { Double($0.delivered) / $1 }]
    )
  }

  private var publishes: Plot? {
    guard hasPublishes else { return nil }
    return Plot(
      id: "publishes",
      title: "Publishes",
      note: "that were due, and answers that they are stored, each second",
      unit: .rate,
      series: [
        line("acknowledged", 1, "\(Figure.rate(result.publishesPerSecond)) on average") {
          Double($0.acknowledged) / $1
        },
        line("due", 2, "\(Figure.rate(result.duePerSecond)) on average", .dashed) {
          Double($0.published) / $1
        },
      ]
    )
  }

  private var latency: Plot? {
    guard let times = result.timings[.delivery], times.count > 0 else { return nil }
    var plot = Plot(
      id: "latency",
      title: "Latency of deliveries",
      note: "from when a publish was due to its arrival; of what arrived in each second",
      unit: .time,
      series: [
        line("p50", 1, "\(Figure.time(times.percentile(50))) of all", isHighest: true) {
          $0.deliveryP50Us.map(Double.init)
        },
        line("p99", 2, "\(Figure.time(times.percentile(99))) of all", isHighest: true) {
          $0.deliveryP99Us.map(Double.init)
        },
        line("max", 5, Figure.time(times.max), .dotted, isHighest: true) {
          $0.deliveryMaxUs.map(Double.init)
        },
      ]
    )
    plot.isLogarithmic = plot.most > plot.least * 20
    if plot.isLogarithmic { plot.note += "; logarithmic" }
    return plot
  }

  private var connections: Plot {
    Plot(
      id: "connections",
      title: "Connections",
      note: "clients with all their subscriptions, at the end of each second",
      unit: .count,
      series: [
        line("connected", 1, "\(Figure.count(result.connectedPeak)) at the most") { Double($0.connected) },
        line("connects each second", 2, "\(Figure.count(result.totals.connects)) in all", .dashed) {
          Double($0.connects)
        },
      ]
    )
  }

  private var errors: Plot {
    Plot(
      id: "errors",
      title: "Errors",
      note: "failed connects, failed publishes and drops, each second",
      unit: .count,
      series: [
        line("errors", 2, "\(Figure.count(result.errors)) in all", isHighest: true) { Double($0.errors) }
      ]
    )
  }

  private var driver: Plot {
    Plot(
      id: "driver",
      title: "The driver's CPU",
      note: "cores that the load test itself used, of \(result.driver.coresAvailable)",
      unit: .cores,
      reaches: 1,
      series: [line("driver", 4, "\(Figure.cores(result.driver.cores)) on average") { $0.driverCores }]
    )
  }

  private var nodeCores: Plot? {
    nodes("cores", "CPU of the nodes", "cores in use by each node", .cores, reaches: 1) { node in
      ("\(node.meanCores(until: result.elapsedS).map(Figure.cores) ?? "-") on average", \.cores)
    }
  }

  private var nodeMemory: Plot? {
    nodes("memory", "Memory of the nodes", "resident memory of each node", .bytes) { node in
      ("\(Figure.bytes(node.rssPeak)) at the most", { Double($0.rss) })
    }
  }

  private var nodeConnections: Plot? {
    nodes("node-connections", "Connections of the nodes", "as each node counts them", .count) { node in
      ("\(Figure.count(node.connectionsPeak)) at the most", { Double($0.connections) })
    }
  }

  /// Across all that was timed; nil when nothing was.
  var percentiles: Plot? {
    let timed = LoadTiming.allCases.filter { (result.timings[$0]?.count ?? 0) > 0 }
    guard !timed.isEmpty else { return nil }
    let looks: [Plot.Series.Look] = [.solid, .solid, .solid, .dashed, .dashed]
    let series = timed.map { timing in
      let rank = LoadTiming.allCases.firstIndex(of: timing) ?? 0
      let times = result.timings[timing] ?? TimeDistribution()
      return Plot.Series(
        name: timing.title,
        color: rank % 4 + 1,
        look: looks[rank % looks.count],
        summary: "p99 \(Figure.time(times.percentile(99)))",
        points: PercentileCurve.points(times)
      )
    }
    return Plot(
      id: "percentiles",
      title: "Distribution of times",
      note: "the share across was at most this long; both axes logarithmic, the rarest to the right",
      unit: .time,
      axis: .percentile,
      isLogarithmic: true,
      series: series
    )
  }

  private func line(
    _ name: String,
    _ color: Int,
    _ summary: String,
    _ look: Plot.Series.Look = .solid,
    isHighest: Bool = false,
    _ value: (LoadSample) -> Double?
  ) -> Plot.Series {
    line(name, color, summary, look, isHighest: isHighest) { sample, _ in value(sample) }
  }

  /// - Parameter value: of a sample, and of how many seconds it tells: the last is rarely of a whole one.
  private func line(
    _ name: String,
    _ color: Int,
    _ summary: String,
    _ look: Plot.Series.Look = .solid,
    isHighest: Bool = false,
    _ value: (LoadSample, Double) -> Double?
  ) -> Plot.Series {
    var last: Double?
    let points = result.samples.map { sample in
      let seconds = max(0.05, sample.atS - (last ?? sample.atS - 1))
      last = sample.atS
      return Plot.Point(x: sample.atS, y: value(sample, seconds))
    }
    return Plot.Series(name: name, color: color, look: look, summary: summary, points: points)
      .thinned(to: ReportPlots.limit, isHighest: isHighest)
  }

  private func nodes(
    _ id: String,
    _ title: String,
    _ note: String,
    _ unit: Plot.Unit,
    reaches: Double? = nil,
    _ what: (NodeSeries) -> (summary: String, value: (NodeSeries.Sample) -> Double?)
  ) -> Plot? {
    guard result.nodes.contains(where: { !$0.samples.isEmpty }) else { return nil }
    let looks: [Plot.Series.Look] = [.solid, .dashed, .dotted]
    let series = result.nodes.enumerated().map { index, node in
      let (summary, value) = what(node)
      return Plot.Series(
        name: node.node,
        color: index % 4 + 1,
        look: looks[index / 4 % looks.count],
        summary: summary,
        points: node.samples.map { Plot.Point(x: $0.atS, y: value($0)) }
      ).thinned(to: ReportPlots.limit, isHighest: unit == .bytes)
    }
    return Plot(id: id, title: title, note: note, unit: unit, reaches: reaches, series: series)
  }
}
