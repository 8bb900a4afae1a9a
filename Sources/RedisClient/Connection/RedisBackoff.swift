import NIOCore

/// Pauses between attempts to connect: doubling, bounded, jittered so that nodes do not come back in step. The first
/// one is nearly all chance, since a server that restarts is lost by every node in the same instant.
struct RedisBackoff {
  private let minimum: TimeAmount
  private let maximum: TimeAmount
  private var attempts = 0

  init(minimum: TimeAmount, maximum: TimeAmount) {
    self.minimum = minimum
    self.maximum = max(minimum, maximum)
  }

  mutating func reset() {
    attempts = 0
  }

  /// The next pause. `jitter` is from 0 to 1.
  mutating func next(jitter: Double) -> TimeAmount {
    if attempts == 0 {
      attempts = 3
      let least = minimum.nanoseconds / 2
      let most = min(4 * minimum.nanoseconds, maximum.nanoseconds)
      return .nanoseconds(least + Int64(Double(most - least) * jitter))
    }
    let doubled = minimum.nanoseconds.multipliedReportingOverflow(by: 1 << min(attempts, 30))
    let full = doubled.overflow ? maximum.nanoseconds : min(doubled.partialValue, maximum.nanoseconds)
    attempts += 1
    return .nanoseconds(full / 2 + Int64(Double(full / 2) * jitter))
  }
}
