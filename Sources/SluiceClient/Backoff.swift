public import NIOCore

/// How long to wait before trying again: exponential with full jitter above a floor.
public struct Backoff: Sendable, Hashable {
  /// No wait is shorter.
  public var floor: TimeAmount
  /// The first wait is at the most this much above the floor; each further one may be twice as long.
  public var base: TimeAmount
  /// No wait is longer.
  public var ceiling: TimeAmount
  /// Waits since the last success.
  public private(set) var attempts = 0

  public init(
    floor: TimeAmount = .milliseconds(50),
    base: TimeAmount = .milliseconds(250),
    ceiling: TimeAmount = .seconds(10)
  ) {
    self.floor = floor
    self.base = base
    self.ceiling = ceiling
  }

  /// The next wait. `chance` is uniform in 0..<1; `atLeast` is what the other side asked for.
  public mutating func next(
    chance: Double = .random(in: 0..<1),
    atLeast: TimeAmount = .zero
  ) -> TimeAmount {
    let doubled = base.nanoseconds.multipliedReportingOverflow(by: 1 << min(attempts, 40))
    let span = doubled.overflow ? ceiling.nanoseconds : doubled.partialValue
    attempts += 1
    let wait = max(floor, atLeast) + .nanoseconds(Int64(Double(span) * chance))
    return max(min(wait, ceiling), min(atLeast, ceiling), floor)
  }

  /// It worked: the next wait is short again.
  public mutating func succeeded() {
    attempts = 0
  }
}
