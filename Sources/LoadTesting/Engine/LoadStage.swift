import NIOCore
import NIOPosix
import SluiceClient
import Wire

/// A run under way. One task plays it; others sample what happens.
final class LoadStage {
  let plan: LoadPlan
  let control: LoadControl
  /// Those who play the other parts of the run; nil when this is all of it.
  let company: (any LoadCompany)?
  let stripe: LoadStripe
  /// What all of them published, once that is known.
  var everything: Ledger?
  let reporter: LoadReporter
  let cast: LoadCast
  let records: [Confined<LoadCounters>]
  let nodes: NodeWatch
  let fleet: Fleet
  private let lagMeters: [Confined<LagMeter>]
  var workload: Workload?
  var members: Fleet?
  var watchers: [PresenceWatcher] = []
  var random: SeededRandom
  /// What was promised and is not so.
  var failures: [String] = []
  var figures: [LoadSetting] = []
  /// In `rolling`: what one of a hundred other connections took at least, in milliseconds.
  var connectCost = 0
  /// When everyone was connected.
  var connectedAt = NIODeadline.now()
  private var tasks: [Task<Void, Never>] = []

  init(_ plan: LoadPlan, _ observer: any LoadObserver, _ control: LoadControl, _ company: (any LoadCompany)?)
    async throws
  {
    self.plan = plan
    self.control = control
    self.company = company
    let stripe = company?.stripe ?? .whole
    self.stripe = stripe
    random = SeededRandom(plan.seed &+ UInt64(stripe.index))
    let expectedStart = NIODeadline.now() + plan.ramp + plan.warmUp + .seconds(1)
    let reporter = LoadReporter(observer, zero: expectedStart)
    self.reporter = reporter
    nodes = NodeWatch(plan.operators)
    let cast = LoadCast(
      plan,
      tag: company?.tag ?? String(UInt32.random(in: .min ... .max), radix: 36),
      stripe: stripe
    )
    self.cast = cast
    var records: [Confined<LoadCounters>] = []
    var meters: [Confined<LagMeter>] = []
    for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
      let record = try await Confined(on: loop) { _ in LoadCounters() }
      records.append(record)
      meters.append(try await Confined(on: loop) { LagMeter(on: $0, record.here) })
    }
    self.records = records
    lagMeters = meters
    await reporter.phase(
      "connecting \(plan.connections) clients, \(LoadPlan.words(plan.connectRate)) a second"
    )
    watchers = try await LoadStage.watch(cast.watchers)
    fleet = try await Fleet(cast.clients, over: plan.ramp, counting: records)
  }

  /// Who watches comes first, to hear every member come; a client that does not get in is told of later.
  private static func watch(_ wishes: [SubscriberSettings]) async throws -> [PresenceWatcher] {
    var watchers: [PresenceWatcher] = []
    for settings in wishes { watchers.append(try await PresenceWatcher(settings)) }
    let end = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < end {
      var areReady = true
      for watcher in watchers where areReady { areReady = try await watcher.isReady }
      if areReady { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    return watchers
  }

  /// Samples each second, and asks the operators.
  func beginSampling() {
    let (fleet, records, reporter, nodes) = (fleet, records, reporter, nodes)
    tasks.append(
      Task {
        var next = ContinuousClock.now
        while !Task.isCancelled {
          next += .seconds(1)
          try? await Task.sleep(until: next, clock: .continuous)
          if !Task.isCancelled { await LoadStage.sample(fleet, records, reporter) }
        }
      }
    )
    guard !plan.operators.isEmpty, stripe.index == 0 else { return }
    tasks.append(
      Task {
        var next = ContinuousClock.now
        while !Task.isCancelled {
          for change in await nodes.look({ await reporter.now }) {
            await reporter.mark(change.kind, change.text)
          }
          next = max(next + .seconds(1), ContinuousClock.now)
          try? await Task.sleep(until: next, clock: .continuous)
        }
      }
    )
  }

  /// Ends it, with a last sample.
  func endSampling() async throws {
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    tasks = []
    for meter in lagMeters { try await meter.use { $0.stop() } }
    await LoadStage.sample(fleet, records, reporter)
  }

  private static func sample(
    _ fleet: Fleet,
    _ records: [Confined<LoadCounters>],
    _ reporter: LoadReporter
  ) async {
    var sum = LoadPart()
    for record in records {
      if let part = try? await record.use({ $0.take() }) { sum.add(part) }
    }
    let connected = (try? await fleet.count(where: \.isReady)) ?? 0
    await reporter.add(sum, connected: connected)
  }

  // MARK: waiting

  /// Waits, unless the run is ended early.
  func pause(_ time: TimeAmount) async throws {
    _ = try await wait(time, every: .milliseconds(50)) { false }
  }

  /// Waits until it is so. False when it was not in time, or the run is ended early.
  func wait(
    _ limit: TimeAmount,
    every period: Duration = .milliseconds(20),
    until isSo: () async throws -> Bool
  ) async throws -> Bool {
    let deadline = NIODeadline.now() + limit
    while !control.isEnding {
      if try await isSo() { return true }
      let left = deadline - .now()
      guard left > .zero else { return false }
      try await Task.sleep(for: min(period, .nanoseconds(left.nanoseconds)))
    }
    return try await isSo()
  }

  func fail(_ reason: String) { failures.append(reason) }

  func figure(_ name: String, _ value: String) { figures.append(LoadSetting(name, value)) }

  /// Publishes due from now on are measured, or up to now.
  func measure(_ isMeasuring: Bool) async throws {
    let now = NIODeadline.now().microseconds
    for record in records {
      try await record.use { record in
        record.measured = isMeasuring ? now..<Int.max : record.measured.lowerBound..<now
      }
    }
  }
}

@available(*, unavailable)
extension LoadStage: Sendable {}
