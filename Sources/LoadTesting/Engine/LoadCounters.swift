import NIOCore

/// What happens on one loop, counted there.
final class LoadCounters {
  /// What came since it was last asked for.
  private var part = LoadPart()
  private(set) var timings: [LoadTiming: TimeDistribution] = [:]
  private var delivery = TimeDistribution()
  private var publish = TimeDistribution()
  private(set) var lag = TimeDistribution()
  /// Publishes that were due within this time are measured, in microseconds of the monotonic clock.
  var measured = 0..<0

  func delivered(due: Int, bytes: Int, isTimed: Bool) {
    part.totals.deliveries += 1
    part.totals.deliveredBytes += bytes
    guard isTimed, due > 0 else { return }
    let late = NIODeadline.now().microseconds - due
    part.arrivals.record(late)
    if measured.contains(due) { delivery.record(late) }
  }

  func isDue() { part.totals.publishes += 1 }

  func acknowledged(due: Int) {
    part.totals.acknowledged += 1
    if measured.contains(due) { publish.record(NIODeadline.now().microseconds - due) }
  }

  func failedToPublish() { part.totals.failedPublishes += 1 }

  func connected(after time: TimeAmount, isFirst: Bool) {
    part.totals.connects += 1
    if !isFirst { part.totals.reconnects += 1 }
    record(.connect, time)
  }

  func failedToConnect() { part.totals.connectFailures += 1 }
  func dropped() { part.totals.drops += 1 }

  func record(_ timing: LoadTiming, _ time: TimeAmount) {
    timings[timing, default: TimeDistribution()].record(Int(time.nanoseconds / 1_000))
  }

  func lagged(_ time: TimeAmount) {
    let microseconds = Int(time.nanoseconds / 1_000)
    part.lag = max(part.lag, microseconds)
    if !measured.isEmpty { lag.record(microseconds) }
  }

  /// What came since the last time.
  func take() -> LoadPart {
    let taken = part
    part = LoadPart()
    return taken
  }

  /// Of the whole run.
  var allTimings: [LoadTiming: TimeDistribution] {
    var all = timings
    all[.delivery] = delivery
    all[.publish] = publish
    return all.filter { $0.value.count > 0 }
  }
}

@available(*, unavailable)
extension LoadCounters: Sendable {}

/// What came on one loop, or on all, within a second or so.
struct LoadPart: Sendable {
  var totals = LoadTotals()
  var arrivals = TimeDistribution()
  /// The longest that a loop was late, in microseconds.
  var lag = 0

  mutating func add(_ other: LoadPart) {
    totals.add(other.totals)
    arrivals.add(other.arrivals)
    lag = max(lag, other.lag)
  }
}

extension LoadTotals {
  mutating func add(_ other: LoadTotals) {
    publishes += other.publishes
    acknowledged += other.acknowledged
    failedPublishes += other.failedPublishes
    deliveries += other.deliveries
    deliveredBytes += other.deliveredBytes
    connects += other.connects
    reconnects += other.reconnects
    connectFailures += other.connectFailures
    drops += other.drops
  }
}
