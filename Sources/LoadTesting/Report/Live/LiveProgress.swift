/// What is known of a run while it goes on.
struct LiveProgress: Sendable {
  let title: String
  /// Clients that are to be connected; nil when that is not known.
  let wanted: Int?
  var phase = "starting"
  var sample: LoadSample?
  var totals = LoadTotals()
  var expected: Double?
  /// The newest last.
  var marks: [LoadMark] = []
  /// Deliveries, or while there are none connects, of the last seconds, the newest last.
  private(set) var recent: [Int] = []
  var errors = 0

  private static let recentLimit = 60

  init(title: String, wanted: Int?) {
    self.title = title
    self.wanted = wanted
  }

  mutating func heard(_ sample: LoadSample, totals: LoadTotals, expected: Double?) {
    self.sample = sample
    self.totals = totals
    self.expected = expected
    recent.append(sample.delivered)
    if recent.count > LiveProgress.recentLimit { recent.removeFirst() }
    errors = totals.connectFailures + totals.failedPublishes + totals.drops
  }

  /// 0 to 1: of the connections before the measuring begins, and of its time afterwards; nil when neither is known.
  var part: Double? {
    guard let sample else { return nil }
    if sample.atS >= 0, let expected, expected > 0 { return min(1, sample.atS / expected) }
    guard sample.atS < 0, let wanted, wanted > 0 else { return nil }
    return min(1, Double(sample.connected) / Double(wanted))
  }

  /// `0:12 of 1:00, 48 s left`, where it is known.
  var clock: String {
    guard let sample else { return "" }
    guard sample.atS >= 0 else { return "not yet measured" }
    guard let expected, expected > 0 else { return Figure.clock(sample.atS) }
    return
      "\(Figure.clock(sample.atS)) of \(Figure.clock(expected)), \(Figure.duration(max(0, (expected - sample.atS).rounded()))) left"
  }

  var connections: String {
    guard let sample else { return "-" }
    guard let wanted else { return Figure.count(sample.connected) }
    return "\(Figure.count(sample.connected)) of \(Figure.count(wanted))"
  }
}
