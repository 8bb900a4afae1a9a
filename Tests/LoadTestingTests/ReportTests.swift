import Foundation
import LoadTesting
import Testing

/// What is made of a result for people to read.
@Suite struct ReportTests {
  @Test func theSummarySaysItAll() throws {
    let text = LoadSummary(try SampleResult.read()).description
    for part in [
      "sluice load fanout, 5 s measured", "connections 200 · rate 20", "20,000, 4,000/s", "2.44 MiB of data",
      "delivery", "800 µs", "42.0 ms", "catch-up", "away, long-poll", "all back after",
      "31 connections within 100 ms to gw-1",
      "0 lost, 0 duplicated, 0 reordered, 0 undetected gaps; 200 subscribers checked", "gaps told: 1 trimmed",
      "gw-1", "0.50", "125 µs of the nodes' CPU per delivery", "0.25 of 2 cores",
    ] {
      #expect(text.contains(part), "\(part) in\n\(text)")
    }
    #expect(text.hasSuffix("PASS"))
    #expect(!text.contains("\u{1b}"))
  }

  @Test func aFailureIsTheLastWord() throws {
    var result = try SampleResult.read()
    result.verdict?.lost = 2
    result.verdict?.examples = ["client 7 never got k3f9x2ab.12"]
    result.failures = ["a session was closed by force"]
    result.driver.limit = "it used 1.9 of 2 cores"
    let text = LoadSummary(result).description
    #expect(text.contains("client 7 never got k3f9x2ab.12"))
    #expect(text.contains("the driver, not the server, was the limit: it used 1.9 of 2 cores"))
    #expect(text.hasSuffix("FAIL: 2 lost; a session was closed by force"))
    #expect(LoadSummary(result, style: .colored).lines.last?.hasPrefix("\u{1b}[31m") == true)
  }

  @Test func aRunWithoutAnythingHasASummaryAndAPage() throws {
    let result = LoadResult(scenario: "idle", plan: [], startedMs: 0, elapsedS: 0)
    #expect(LoadSummary(result).description.hasSuffix("PASS"))
    #expect(try ReportPage(result).html().contains("<strong>PASS</strong>"))
  }

  @Test func thePageHasEveryPlotAndEveryMoment() throws {
    let html = try ReportPage(try SampleResult.read()).html()
    for id in [
      "deliveries", "publishes", "latency", "percentiles", "connections", "errors", "cores", "memory",
      "node-connections", "driver",
    ] {
      #expect(html.contains("<figure class=\"plot\" id=\"\(id)\""), "\(id)")
    }
    #expect(html.contains("<strong>PASS</strong>"))
    // Each of nine plots of times has the three marks.
    #expect(html.components(separatedBy: "<g class=\"mark drain\">").count == 10)
    #expect(html.components(separatedBy: "<g class=\"mark fault\">").count == 10)
    #expect(html.contains("gw-1 &lt;draining&gt;"))
    #expect(!html.contains("<draining>"))
    #expect(html.contains("2026-11-21"))
  }

  /// Saved, mailed, or opened years later, it is all there.
  @Test func thePageAsksForNothing() throws {
    let html = try ReportPage(try SampleResult.read()).html()
    let shown = html.replacing("http://127.0.0.1:8081", with: "")
    for word in ["src=", "href=", "@import", "url(", "fetch(", "http://", "https://"] {
      #expect(!shown.contains(word), "\(word)")
    }
  }

  @Test func aPageSaysWhenItFailedAndWhy() throws {
    var result = try SampleResult.read()
    result.verdict?.lost = 2
    result.driver.limit = "it used </script> 1.9 of 2 cores"
    let html = try ReportPage(result).html()
    #expect(html.contains("<title>FAIL: sluice load fanout</title>"))
    #expect(html.contains("<li>2 lost</li>"))
    #expect(html.contains("The driver, not the server, was the limit"))
    #expect(!html.contains("it used </script>"))
  }

  @Test func theDataOfThePlotsIsJSON() throws {
    let html = try ReportPage(try SampleResult.read()).html()
    let begin = try #require(html.range(of: "<script type=\"application/json\" id=\"data\">"))
    let end = try #require(html.range(of: "</script>", range: begin.upperBound..<html.endIndex))
    let data = Data(html[begin.upperBound..<end.lowerBound].utf8)
    let plots = try #require(try JSONSerialization.jsonObject(with: data) as? [String: [String: Any]])
    #expect(plots.count == 10)
    #expect(plots["latency"]?["unit"] as? String == "time")
    let lines = try #require(plots["deliveries"]?["lines"] as? [[String: [Double]]])
    #expect(lines.first?["y"]?.count == 7)
  }

  @Test func aLongRunIsThinnedOut() throws {
    var result = try SampleResult.read()
    result.samples = (0..<20_000).map { second in
      var sample = LoadSample(atS: Double(second))
      sample.connected = 10
      sample.deliveryMaxUs = second == 12_345 ? 5_000_000 : 900
      return sample
    }
    result.elapsedS = 20_000
    let html = try ReportPage(result).html()
    #expect(html.utf8.count < 400_000)
    // The one long time is there still.
    #expect(html.contains("5000000"))
  }
}
