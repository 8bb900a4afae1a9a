import NIOCore

/// When each publish of an open-loop load is due, whatever became of those before it. Several pumps share one
/// schedule: each takes every so manieth.
struct PublishSchedule: Sendable {
  let start: NIODeadline
  /// Publishes a second, all pumps together.
  let rate: Double
  let pumps: Int
  /// The next number that is due here.
  private(set) var number: Int

  init(from start: NIODeadline, rate: Double, pump: Int, of pumps: Int) {
    self.start = start
    self.rate = rate
    self.pumps = pumps
    number = pump
  }

  var due: NIODeadline {
    start + .nanoseconds(Int64(Double(number) * 1_000_000_000 / rate))
  }

  /// The next publish, if it is due by now.
  mutating func next(at now: NIODeadline) -> (number: Int, due: NIODeadline)? {
    let due = due
    guard due <= now else { return nil }
    defer { number += pumps }
    return (number, due)
  }
}
