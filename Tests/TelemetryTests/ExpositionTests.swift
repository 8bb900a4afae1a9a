import Telemetry
import Testing

@Suite struct ExpositionTests {
  @Test func writesEachFamilyOnceInOrderOfItsMaking() {
    let registry = MetricsRegistry()
    let publishes = registry.counter("sluice_publishes_total", help: "Publishes answered.")
    let sockets = registry.gauge("sluice_connections", help: "Open.", labels: ["transport": "websocket"])
    let streams = registry.gauge("sluice_connections", help: "Open.", labels: ["transport": "sse"])
    publishes.add(3)
    sockets.set(-2)
    streams.add(7)
    #expect(
      registry.exposition() == """
        # HELP sluice_publishes_total Publishes answered.
        # TYPE sluice_publishes_total counter
        sluice_publishes_total 3
        # HELP sluice_connections Open.
        # TYPE sluice_connections gauge
        sluice_connections{transport="websocket"} -2
        sluice_connections{transport="sse"} 7

        """
    )
  }

  @Test func handlesOfOneSeriesAddUp() {
    let registry = MetricsRegistry()
    let one = registry.counter("c_total", help: "C.")
    let other = registry.counter("c_total", help: "C.")
    registry.counter("c_total", help: "C.") { 0.5 }
    one.add(1)
    other.add(2)
    #expect(registry.exposition().hasSuffix("\nc_total 3.5\n"))
  }

  @Test func whatIsNotKnownIsLeftOut() {
    let registry = MetricsRegistry()
    registry.gauge("known", help: "K.") { 0 }
    registry.gauge("unknown", help: "U.") { nil }
    let text = registry.exposition()
    #expect(text.contains("\nknown 0\n"))
    #expect(text.hasSuffix("# TYPE unknown gauge\n"))
  }

  @Test func showsHandlesMadeElsewhere() {
    let registry = MetricsRegistry()
    let counter = Counter()
    let gauge = Gauge()
    registry.add(counter, "c_total", help: "C.")
    registry.add(gauge, "g", help: "G.", labels: ["a": "b"])
    counter.add(4)
    gauge.add(5)
    #expect(registry.exposition().contains("\nc_total 4\n"))
    #expect(registry.exposition().hasSuffix("\ng{a=\"b\"} 5\n"))
  }

  @Test func escapesHelpAndLabels() {
    let registry = MetricsRegistry()
    registry.gauge("g", help: "a\\b\n\"c\"", labels: ["x": "q\"\\\n", "y": "ü"]) { 1 }
    #expect(
      registry.exposition() == """
        # HELP g a\\\\b\\n"c"
        # TYPE g gauge
        g{x="q\\"\\\\\\n",y="ü"} 1

        """
    )
  }

  @Test func cumulatesHistograms() {
    let registry = MetricsRegistry()
    let histogram = registry.histogram("h", help: "H.", labels: ["a": "b"], buckets: [0.25, 2])
    let other = registry.histogram("h", help: "H.", labels: ["a": "b"], buckets: [0.25, 2])
    histogram.observe(0.25)
    histogram.observe(1)
    other.observe(5)
    #expect(
      registry.exposition() == """
        # HELP h H.
        # TYPE h histogram
        h_bucket{a="b",le="0.25"} 1
        h_bucket{a="b",le="2"} 2
        h_bucket{a="b",le="+Inf"} 3
        h_sum{a="b"} 6.25
        h_count{a="b"} 3

        """
    )
  }

  @Test(arguments: [
    (Double.nan, "NaN"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (0, "0"), (1e20, "1e+20"), (0.1, "0.1"),
    (-4, "-4"),
  ])
  func writesNumbers(_ value: Double, _ text: String) {
    let registry = MetricsRegistry()
    registry.gauge("g", help: "G.") { value }
    #expect(registry.exposition().hasSuffix("\ng \(text)\n"))
  }

  @Test func countersStayExact() {
    let registry = MetricsRegistry()
    registry.counter("c_total", help: "C.").add(9_007_199_254_740_993)
    #expect(registry.exposition().hasSuffix("\nc_total 9007199254740993\n"))
  }
}
