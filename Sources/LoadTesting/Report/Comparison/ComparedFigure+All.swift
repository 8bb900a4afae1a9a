extension ComparedFigure {
  /// Shares by which two runs of the same differ anyway, of times and rates, and of what nodes use.
  private static let leastOfTimes = 0.05
  private static let leastOfUse = 0.1

  /// Every figure that one of the results has at least.
  static func all(of results: [LoadResult]) -> [ComparedFigure] {
    func figure(
      _ name: String,
      _ unit: Plot.Unit,
      _ direction: Direction,
      _ value: (LoadResult) -> NoisyFigure?
    ) -> ComparedFigure {
      ComparedFigure(name: name, unit: unit, direction: direction, values: results.map(value))
    }
    var figures: [ComparedFigure] = []
    for timing in LoadTiming.allCases {
      for (name, percent) in [("p50", 50), ("p90", 90), ("p99", 99), ("p99.9", 99.9)] {
        figures.append(
          figure("\(timing.title) \(name)", .time, .lessIsBetter) { percentile(percent, timing, $0) }
        )
      }
      figures.append(
        figure("\(timing.title) max", .time, .lessIsBetter) { result in
          times(timing, result).map { NoisyFigure(unknown: Double($0.max)) }
        }
      )
    }
    figures += [
      figure("deliveries", .rate, .moreIsBetter) {
        rate($0, $0.deliveriesPerSecond) { Double($0.delivered) }
      },
      figure("publishes", .rate, .moreIsBetter) {
        rate($0, $0.publishesPerSecond) { Double($0.acknowledged) }
      },
      figure("connections at once", .count, .neither) { NoisyFigure(exactly: Double($0.connectedPeak)) },
      figure("nodes' CPU", .cores, .lessIsBetter) { result in
        result.nodeSeconds.map { NoisyFigure($0 / max(result.elapsedS, 0.001), least: leastOfUse) }
      },
      figure("nodes' CPU per delivery", .time, .lessIsBetter) { result in
        result.nodeMicrosecondsPerDelivery.map { NoisyFigure($0, least: leastOfUse) }
      },
      figure("nodes' memory", .bytes, .lessIsBetter) { result in
        result.nodeMemory.map { NoisyFigure(Double($0), least: leastOfUse) }
      },
      figure("driver's CPU", .cores, .neither) { NoisyFigure($0.driver.cores, least: leastOfUse) },
      figure("lost", .count, .lessIsBetter) { $0.verdict.map { NoisyFigure(exactly: Double($0.lost)) } },
      figure("other faults", .count, .lessIsBetter) { result in
        result.verdict.map { NoisyFigure(exactly: Double($0.othersThanLost)) }
      },
      figure("errors", .count, .lessIsBetter) { NoisyFigure(exactly: Double($0.errors)) },
    ]
    return figures.filter { $0.values.contains { $0 != nil } }
  }

  private static func times(_ timing: LoadTiming, _ result: LoadResult) -> TimeDistribution? {
    result.timings[timing].flatMap { $0.count > 0 ? $0 : nil }
  }

  private static func percentile(_ percent: Double, _ timing: LoadTiming, _ result: LoadResult)
    -> NoisyFigure?
  {
    guard let times = times(timing, result) else { return nil }
    let independent = timing == .delivery ? min(times.count, max(result.totals.acknowledged, 1)) : times.count
    var figure = NoisyFigure(percent, of: times, independent: independent, least: leastOfTimes)
    if timing == .delivery {
      let measured = result.samples.filter { $0.atS > 0 }
      if percent == 50 { figure.widen(by: measured.compactMap { $0.deliveryP50Us.map(Double.init) }) }
      if percent == 99 { figure.widen(by: measured.compactMap { $0.deliveryP99Us.map(Double.init) }) }
    }
    return figure
  }

  private static func rate(
    _ result: LoadResult,
    _ mean: Double,
    _ each: (LoadSample) -> Double
  ) -> NoisyFigure? {
    guard result.totals.publishes > 0 || result.totals.deliveries > 0 else { return nil }
    var figure = NoisyFigure(mean, least: leastOfTimes)
    figure.widen(by: result.samples.filter { $0.atS > 0 }.map(each))
    return figure
  }
}

extension LoadVerdict {
  var othersThanLost: Int { duplicated + reordered + undetected + others.values.reduce(0, +) }
}
