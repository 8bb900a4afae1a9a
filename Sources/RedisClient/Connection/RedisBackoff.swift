import NIOCore

/// Pauses between attempts to connect: doubling, bounded, jittered so that nodes do not come back in step.
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

  /// The next pause. `jitter` is from 0 to 1: half of the pause is fixed, half of it chance.
  mutating func next(jitter: Double) -> TimeAmount {
    let doubled = minimum.nanoseconds.multipliedReportingOverflow(by: 1 << min(attempts, 30))
    let full = doubled.overflow ? maximum.nanoseconds : min(doubled.partialValue, maximum.nanoseconds)
    attempts += 1
    return .nanoseconds(full / 2 + Int64(Double(full / 2) * jitter))
  }
}
