import Testing

@testable import LoadTesting

@Suite struct LoadJoinTests {
  private func result(_ times: [Int], startedMs: Int64 = 1_000) -> LoadResult {
    var result = LoadResult(
      scenario: "fanout",
      plan: [LoadSetting("rate", "5"), LoadSetting("connections", "\(times.count)")],
      startedMs: startedMs,
      elapsedS: 3
    )
    var distribution = TimeDistribution()
    for time in times { distribution.record(time) }
    result.timings[.delivery] = distribution
    result.totals.deliveries = times.count
    return result
  }

  @Test func percentilesOfTheJoinedAreThoseOfAll() throws {
    var random = SystemRandomNumberGenerator()
    let parts = (0..<4).map { part in
      (0..<5_000).map { _ in Int.random(in: 100...(20_000 << part), using: &random) }
    }
    let joined = LoadResult.joined(parts.map { result($0) })
    let all = try #require(result(parts.flatMap(\.self)).timings[.delivery])
    let found = try #require(joined.timings[.delivery])
    #expect(found.count == 20_000)
    #expect(found.max == all.max)
    for percent in [0, 1, 25, 50, 90, 99, 99.9, 100] {
      #expect(found.percentile(percent) == all.percentile(percent))
    }
    #expect(found.recorded().elementsEqual(all.recorded(), by: ==))
  }

  @Test func samplesAreAlignedByTheClock() {
    func sample(_ at: Double, connected: Int, delivered: Int, p50: Int, p99: Int) -> LoadSample {
      var sample = LoadSample(atS: at)
      sample.connected = connected
      sample.delivered = delivered
      sample.deliveryP50Us = p50
      sample.deliveryP99Us = p99
      sample.driverCores = 0.5
      return sample
    }
    var first = result([1])
    first.samples = [
      sample(1, connected: 10, delivered: 100, p50: 200, p99: 900),
      sample(2, connected: 10, delivered: 100, p50: 200, p99: 900),
      sample(3, connected: 10, delivered: 100, p50: 200, p99: 900),
    ]
    // A second later by the clock.
    var second = result([1], startedMs: 2_000)
    second.samples = [
      sample(0, connected: 5, delivered: 300, p50: 400, p99: 700),
      sample(1.02, connected: 5, delivered: 300, p50: 400, p99: 700),
    ]
    let joined = LoadResult.joined([first, second])
    #expect(joined.startedMs == 1_000)
    #expect(joined.elapsedS == 4)
    #expect(joined.samples.map { ($0.atS * 1_000).rounded() } == [1_000, 2_010, 3_000])
    #expect(joined.samples.map(\.delivered) == [400, 400, 100])
    #expect(joined.samples.map(\.connected) == [15, 15, 10])
    #expect(joined.samples[0].deliveryP50Us == 350)
    #expect(joined.samples[0].deliveryP99Us == 900)
    #expect(joined.samples[2].deliveryP50Us == 200)
    #expect(joined.driver.coresPeak == 1)
    #expect(joined.driver.processes == 2)
  }

  @Test func aProcessThatMissedASecondKeepsItsConnections() {
    var first = result([1])
    first.samples = (1...3).map { LoadSample(atS: Double($0)) }
    var second = result([1])
    second.samples = [LoadSample(atS: 1), LoadSample(atS: 3)]
    second.samples[0].connected = 7
    second.samples[1].connected = 7
    #expect(LoadResult.joined([first, second]).samples.map(\.connected) == [7, 7, 7])
  }

  @Test func aLossInOneIsALossInAll() {
    var bad = result([1])
    bad.verdict = LoadVerdict(
      lost: 3,
      duplicated: 0,
      reordered: 0,
      undetected: 1,
      subscribers: 4,
      examples: ["x"]
    )
    bad.failures = ["somebody was away"]
    bad.driver.limit = "no idle CPU"
    var good = result([1])
    good.verdict = LoadVerdict(
      lost: 0,
      duplicated: 0,
      reordered: 0,
      undetected: 0,
      gaps: ["reset": 2],
      subscribers: 6
    )
    let joined = LoadResult.joined([good, bad])
    #expect(joined.verdict?.lost == 3)
    #expect(joined.verdict?.subscribers == 10)
    #expect(joined.verdict?.gaps == ["reset": 2])
    #expect(joined.verdict?.examples == ["x"])
    #expect(joined.failures == ["somebody was away"])
    #expect(joined.driver.limit == "no idle CPU")
    #expect(!joined.isGood)
  }

  @Test func whatDiffersInThePlansStandsSideBySide() {
    let joined = LoadResult.joined([result([1]), result([1, 2])])
    #expect(joined.plan == [LoadSetting("rate", "5"), LoadSetting("connections", "1 + 2")])
    #expect(joined.scenario == "fanout")
  }

  @Test func aMomentThatSeveralSawIsOne() {
    var first = result([1])
    first.marks = [LoadMark(atS: 0, kind: .phase, text: "all connected")]
    var second = result([1], startedMs: 1_400)
    second.marks = [
      LoadMark(atS: 0, kind: .phase, text: "all connected"),
      LoadMark(atS: 9, kind: .fault, text: "gw-1 dead"),
    ]
    let joined = LoadResult.joined([first, second])
    #expect(joined.marks.map(\.text) == ["all connected", "gw-1 dead"])
    #expect(joined.marks[1].atS == 9.4)
  }
}
