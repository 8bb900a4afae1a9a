public import NIOCore

/// How long to wait before trying again: exponential with full jitter above a floor.
public struct Backoff: Sendable, Hashable {
  /// No wait is shorter.
  public var floor: TimeAmount
  /// The first wait is at the most this much above the floor; each further one may be twice as long.
  public var base: TimeAmount
  /// No wait is longer.
  public var ceiling: TimeAmount
  /// The first wait after the loss of a connection that had worked is not shorter either. Whoever loses a node has
  /// been on it with thousands of others, and in that moment all of them, and the balancer, are busy with the loss:
  /// what is due meanwhile would come at once afterwards.
  public var rest: TimeAmount
  /// The first wait after such a loss is anywhere up to this much above the least: whoever loses the same node does
  /// not come back within the same moment, as nobody does who was sent away. By default they are back before native
  /// event sources begin to come, after 1.5 to 2.5 s.
  public var spread: TimeAmount
  /// Waits since the last success.
  public private(set) var attempts = 0

  public init(
    floor: TimeAmount = .milliseconds(50),
    base: TimeAmount = .milliseconds(250),
    ceiling: TimeAmount = .seconds(10),
    rest: TimeAmount = .milliseconds(200),
    spread: TimeAmount = .milliseconds(1_300)
  ) {
    self.floor = floor
    self.base = base
    self.ceiling = ceiling
    self.rest = rest
    self.spread = spread
  }

  /// The next wait. `chance` is uniform in 0..<1; `atLeast` is what the other side asked for; `hadWorked` is what
  /// was lost.
  public mutating func next(
    chance: Double = .random(in: 0..<1),
    atLeast: TimeAmount = .zero,
    hadWorked: Bool = false
  ) -> TimeAmount {
    let asked = min(atLeast, ceiling)
    let doubled = base.nanoseconds.multipliedReportingOverflow(by: 1 << min(attempts, 40))
    var span = doubled.overflow ? ceiling.nanoseconds : doubled.partialValue
    var least = max(floor, asked)
    if hadWorked {
      least = max(least, min(rest, ceiling))
      span = min(max(span, spread.nanoseconds), max(ceiling - least, .zero).nanoseconds)
    }
    attempts += 1
    let wait = least + min(ceiling, .nanoseconds(Int64(Double(span) * chance)))
    return max(min(wait, ceiling), asked, floor)
  }

  /// It worked: the next wait is short again.
  public mutating func succeeded() {
    attempts = 0
  }
}
