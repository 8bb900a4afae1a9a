import Foundation
import LoadTesting
import Testing

/// The form of a result's JSON, which files outlive the program that wrote them by.
@Suite struct LoadResultTests {
  @Test func aWrittenResultIsRead() throws {
    let result = try SampleResult.read()
    #expect(result.scenario == "fanout")
    #expect(result.plan.first == LoadSetting("target", "http://127.0.0.1:8081"))
    #expect(result.totals.deliveries == 20_000)
    #expect(result.verdict?.gaps == ["trimmed": 1])
    #expect(result.verdict?.others == ["wrong_payload": 0])
    #expect(result.timings[.delivery]?.count == 20_000)
    #expect(result.timings[.delivery]?.max == 42_000)
    #expect(result.timings[.catchUp]?.count == 3)
    #expect(result.away["long-poll"]?.count == 2)
    #expect(result.samples.first?.atS == -1)
    #expect(result.samples.first?.deliveryP50Us == nil)
    #expect(result.samples.last?.deliveryP99Us == 1_650)
    #expect(result.marks.map(\.kind) == [.phase, .drain, .fault])
    #expect(result.nodes.first?.samples.first?.cores == nil)
    #expect(result.driver.limit == nil)
    #expect(result.isGood)
  }

  @Test func whatIsWrittenIsReadBackTheSame() throws {
    let result = try SampleResult.read()
    for isPretty in [false, true] {
      let written = try result.json(isPretty: isPretty)
      let again = try LoadResult(json: written)
      #expect(try again.json() == result.json())
      #expect(again.samples == result.samples)
      #expect(again.totals == result.totals)
    }
  }

  @Test func namesAreInSnakeCase() throws {
    let text = String(decoding: try SampleResult.read().json(), as: UTF8.self)
    for name in ["delivery_p99_us", "started_ms", "catch_up", "wrong_payload", "long-poll", "p999_us"] {
      #expect(text.contains("\"\(name)\""))
    }
  }

  @Test func anotherVersionIsRefusedByName() {
    let text = String(decoding: SampleResult.json, as: UTF8.self)
      .replacing("\"version\": 1", with: "\"version\": 7")
    #expect {
      try LoadResult(json: Data(text.utf8))
    } throws: { error in
      "\(error)".contains("version 7")
    }
  }

  @Test(arguments: [
    (#"{"scenario":"idle"}"#, "it has no"), ("[]", "something else was expected"), ("not json", ""),
  ])
  func whatIsNoResultIsRefused(_ text: String, _ reason: String) {
    #expect {
      try LoadResult(json: Data(text.utf8))
    } throws: { error in
      error is LoadResult.Unreadable && (reason.isEmpty || "\(error)".contains(reason))
    }
  }
}
