import NIOCore

/// Collects what is to be known of a run and tells its observer, one thing at a time.
actor LoadReporter {
  private let observer: any LoadObserver
  /// When measuring begins: expected, until it does.
  private var zero: NIODeadline
  private var isMeasuring = false
  private var expected: Double?
  private(set) var totals = LoadTotals()
  private(set) var samples: [LoadSample] = []
  private(set) var marks: [LoadMark] = []
  /// What arrived since it was last taken.
  private var window = TimeDistribution()
  private var meter = DriverMeter()
  private var machine: (busy: Double, all: Double)?

  init(_ observer: any LoadObserver, zero: NIODeadline) {
    self.observer = observer
    self.zero = zero
  }

  /// Seconds since measuring began; negative before.
  var now: Double {
    let seconds = Double((NIODeadline.now() - zero).nanoseconds) / 1_000_000_000
    return isMeasuring ? seconds : min(seconds, -0.001)
  }

  func phase(_ text: String) { observer.phase(text) }

  func mark(_ kind: LoadMark.Kind, _ text: String) {
    let mark = LoadMark(atS: now, kind: kind, text: text)
    marks.append(mark)
    observer.mark(mark)
  }

  /// A part of the run is over.
  func add(_ part: LoadPart, connected: Int) {
    totals.add(part.totals)
    window.add(part.arrivals)
    var sample = LoadSample(atS: now)
    sample.connected = connected
    sample.published = part.totals.publishes
    sample.acknowledged = part.totals.acknowledged
    sample.delivered = part.totals.deliveries
    sample.connects = part.totals.connects
    sample.errors = part.totals.connectFailures + part.totals.failedPublishes + part.totals.drops
    if part.arrivals.count > 0 {
      sample.deliveryP50Us = part.arrivals.percentile(50)
      sample.deliveryP99Us = part.arrivals.percentile(99)
      sample.deliveryMaxUs = part.arrivals.max
    }
    sample.driverCores = meter.cores()
    sample.driverLagUs = part.lag
    samples.append(sample)
    observer.sample(sample, totals: totals, expected: expected)
  }

  /// What arrived since it was last asked, to the second.
  func takeWindow() -> TimeDistribution {
    defer { window = TimeDistribution() }
    return window
  }

  /// Measuring begins now.
  /// - Returns: by how many seconds that is later than what was taken for it.
  func begin(expected: Double?) -> Double {
    let shift = Double((NIODeadline.now() - zero).nanoseconds) / 1_000_000_000
    zero = .now()
    isMeasuring = true
    self.expected = expected
    for index in samples.indices { samples[index].atS -= shift }
    for index in marks.indices { marks[index].atS -= shift }
    meter.beginMeasuring()
    machine = DriverMeter.machineSeconds
    return shift
  }

  /// Of the time since measuring began.
  func driver(lag: TimeDistribution) -> DriverReport {
    var report = DriverReport()
    report.cores = meter.average
    report.coresPeak = max(meter.peak, meter.average)
    report.coresAvailable = DriverMeter.coresAvailable
    report.lagP99Us = lag.percentile(99)
    report.lagMaxUs = lag.max
    report.rss = DriverMeter.residentBytes
    var busy: Double?
    if let before = machine, let after = DriverMeter.machineSeconds, after.all > before.all {
      busy = (after.busy - before.busy) / (after.all - before.all)
    }
    report.limit = DriverLimit.words(report, machineBusy: busy)
    return report
  }
}
