import Foundation
import LoadTesting
import Testing

@Suite struct LoadComparisonTests {
  private func figure(_ name: String, _ comparison: LoadComparison) throws -> ComparedFigure {
    try #require(comparison.figures.first { $0.name == name })
  }

  /// The sample with all its times so much longer.
  private func slower(_ factor: Double) throws -> LoadResult {
    var result = try SampleResult.read()
    for (timing, times) in result.timings {
      var slower = TimeDistribution()
      for (microseconds, count) in times.recorded() {
        slower.record(Int(Double(microseconds) * factor), times: count)
      }
      result.timings[timing] = slower
    }
    for index in result.samples.indices {
      result.samples[index].deliveryP50Us = result.samples[index].deliveryP50Us.map {
        Int(Double($0) * factor)
      }
      result.samples[index].deliveryP99Us = result.samples[index].deliveryP99Us.map {
        Int(Double($0) * factor)
      }
    }
    return result
  }

  @Test func theSameIsTheSame() throws {
    let result = try SampleResult.read()
    let comparison = LoadComparison([("a.json", result), ("b.json", result)])
    #expect(comparison.differences.isEmpty)
    for figure in comparison.figures {
      #expect(figure.ratio(1) == 1)
      #expect(figure.change(1) != .worse && figure.change(1) != .better)
    }
    #expect(comparison.excesses(over: 1).isEmpty)
    #expect(comparison.text().contains("the plans are the same"))
  }

  @Test func aLittleIsNoiseAndMuchIsNot() throws {
    let base = try SampleResult.read()
    let comparison = LoadComparison([
      ("a.json", base), ("b.json", try slower(1.03)), ("c.json", try slower(4)), ("d.json", try slower(0.2)),
    ])
    let median = try figure("delivery p50", comparison)
    #expect(median.change(1) == .noise)
    #expect(median.change(2) == .worse)
    #expect(median.change(3) == .better)
    #expect(abs((median.ratio(2) ?? 0) - 4) < 0.05)
    // A maximum is one event: its ratio is shown, and nothing is made of it.
    #expect(try figure("delivery max", comparison).change(2) == nil)
    let excesses = comparison.excesses(over: 1.2)
    #expect(excesses.contains { $0.hasPrefix("c.json: delivery p50 ") && $0.contains("4.0") })
    #expect(!excesses.contains { $0.hasPrefix("b.json") || $0.hasPrefix("d.json") })
    #expect(comparison.excesses(over: 5).isEmpty)
    let text = comparison.text()
    #expect(text.contains("worse"))
    #expect(text.contains("better"))
  }

  @Test func differentPlansAndBusyDriversAreNamed() throws {
    var other = try SampleResult.read()
    other.plan[1].value = "400"
    other.plan.append(LoadSetting("churn", "1%"))
    other.driver.limit = "it used 1.9 of 2 cores"
    let comparison = LoadComparison([("a.json", try SampleResult.read()), ("b.json", other)])
    #expect(comparison.differences.map(\.setting) == ["connections", "churn"])
    #expect(comparison.differences.map(\.values) == [["200", "400"], [nil, "1%"]])
    let text = comparison.text()
    #expect(text.contains("the plans differ"))
    #expect(text.contains("b.json: the driver, not the server, was the limit: it used 1.9 of 2 cores"))
  }

  @Test func aFailureAfterASuccessExceedsAnyLimit() throws {
    var bad = try SampleResult.read()
    bad.verdict?.lost = 1
    let comparison = LoadComparison([("a.json", try SampleResult.read()), ("b.json", bad)])
    let excesses = comparison.excesses(over: 100)
    #expect(excesses.contains("b.json: it failed, the first did not"))
    #expect(excesses.contains("b.json: lost 0 → 1"))
    #expect(LoadComparison([("b", bad), ("a", try SampleResult.read())]).excesses(over: 1).isEmpty)
  }

  @Test func programsReadItAsJSON() throws {
    let comparison = LoadComparison([("a.json", try SampleResult.read()), ("b.json", try slower(4))])
    let json = try #require(
      try JSONSerialization.jsonObject(with: comparison.json(failAbove: 1.2)) as? [String: Any]
    )
    let runs = try #require(json["runs"] as? [[String: Any]])
    #expect(runs.map { $0["name"] as? String } == ["a.json", "b.json"])
    let figures = try #require(json["figures"] as? [[String: Any]])
    let median = try #require(figures.first { $0["name"] as? String == "delivery p50" })
    #expect(median["unit"] as? String == "us")
    #expect((median["changes"] as? [Any])?.last as? String == "worse")
    #expect((json["excesses"] as? [String])?.isEmpty == false)
  }

  @Test(
    arguments: [
      ("1.2", 1.2), ("1.2x", 1.2), ("2×", 2), ("20%", 1.2), ("1", 1), ("0.9", nil), ("x", nil), ("-5%", nil),
      ("inf", nil),
    ] as [(String, Double?)]
  )
  func limitsAreRead(_ text: String, _ limit: Double?) {
    #expect(RatioLimit.parse(text) == limit)
  }
}
