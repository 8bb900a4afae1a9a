import Testing

@testable import LoadTesting

@Suite struct LiveBlockTests {
  private func sample(_ at: Double) -> LoadSample {
    var sample = LoadSample(atS: at)
    sample.connected = 5_000
    sample.published = 20
    sample.delivered = 100_000
    sample.deliveryP50Us = 1_210
    sample.deliveryP99Us = 4_800
    sample.deliveryMaxUs = 19_000
    sample.driverCores = 0.84
    sample.driverLagUs = 1_200
    return sample
  }

  private var totals: LoadTotals {
    var totals = LoadTotals()
    totals.publishes = 680
    totals.deliveries = 3_400_000
    return totals
  }

  private func running(_ style: TextStyle = .plain) -> LiveBlock {
    var block = LiveBlock(title: "sluice load fanout", wanted: 5_000, style: style)
    block.phase("publishing")
    block.mark(LoadMark(atS: 12, kind: .drain, text: "gw-2 draining"))
    block.sample(sample(34), totals: totals, expected: 60)
    return block
  }

  @Test func everythingStandsInIt() {
    let text = running().lines(columns: 100).joined(separator: "\n")
    for part in [
      "sluice load fanout  publishing", "56 %", "0:34 of 1:00, 26 s left", "5,000 of 5,000", "100,000/s",
      "3,400,000",
      "p50 1.21 ms", "p99 4.80 ms", "max 19.0 ms", "0.84 cores", "late 1.20 ms", "0:12", "gw-2 draining",
    ] {
      #expect(text.contains(part), "\(part) in\n\(text)")
    }
    #expect(!text.contains("\u{1b}"))
  }

  @Test(arguments: [10, 21, 40, 60, 80, 100, 240])
  func noLineIsAsWideAsTheTerminal(_ columns: Int) {
    for line in running().lines(columns: columns) { #expect(line.count < max(21, columns)) }
    // Colours take no room.
    let plain = running().lines(columns: columns).map(\.count)
    let colored = running(.colored).lines(columns: columns).map { line in
      line.replacing(/\u{1b}\[[0-9]+m/, with: "").count
    }
    #expect(plain == colored)
  }

  @Test func eachDrawingCoversTheOneBefore() {
    var block = LiveBlock(title: "sluice load", style: .plain)
    let first = block.redraw(columns: 80)
    #expect(first.hasPrefix("\rsluice load  starting\u{1b}[K\n"))
    #expect(first.hasSuffix("\u{1b}[J"))
    let drawn = first.count(where: { $0 == "\n" })
    block.sample(sample(1), totals: totals, expected: nil)
    let second = block.redraw(columns: 80)
    #expect(second.hasPrefix("\u{1b}[\(drawn)A\r"))
    let more = second.count(where: { $0 == "\n" })
    #expect(more > drawn)
    #expect(block.erase() == "\u{1b}[\(more)A\r\u{1b}[J")
    #expect(block.erase().isEmpty)
  }

  @Test func whileConnectingTheBarIsOfConnections() {
    var block = LiveBlock(title: "sluice load", wanted: 10_000, style: .plain)
    var sample = sample(-3)
    sample.connected = 2_500
    block.sample(sample, totals: LoadTotals(), expected: 60)
    let text = block.lines(columns: 80).joined(separator: "\n")
    #expect(text.contains("25 %"))
    #expect(text.contains("2,500 of 10,000"))
  }

  @Test func aLogHasALineEveryFewSecondsAndOneForEachMoment() {
    var log = LiveLine(title: "sluice load fanout", wanted: 5_000, every: 5)
    #expect(log.phase("connecting") == "sluice load fanout: connecting")
    let lines = (0...11).compactMap { log.sample(sample(Double($0)), totals: totals, expected: 60) }
    #expect(lines.count == 3)
    #expect(
      lines[1] == """
        0:05  5,000 of 5,000 connected; 20/s published; 100,000/s delivered; p50 1.21 ms, p99 4.80 ms, max 19.0 ms; \
        0 errors; driver 0.84 cores, 1.20 ms late
        """
    )
    #expect(log.mark(LoadMark(atS: 6, kind: .fault, text: "gw-1 dead")) == "0:06  fault: gw-1 dead")
  }

  @Test func theTimeBeginsAnewWhenMeasuringDoes() {
    var log = LiveLine(title: "sluice load", every: 5)
    #expect(log.sample(sample(3), totals: totals, expected: nil) != nil)
    #expect(log.sample(sample(0), totals: totals, expected: nil) != nil)
  }
}
