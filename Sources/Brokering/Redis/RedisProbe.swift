import NIOCore

/// Proves that the feed hears what is published: each heartbeat publishes a number, which must come back. Pure.
struct RedisProbe {
  private var next: UInt64 = 0
  /// The newest number that was certainly published, and when that was known.
  private var published: (number: UInt64, at: NIODeadline)?
  private var heard: UInt64 = 0
  /// Numbers before this one were published while the feed was not there.
  private var first: UInt64 = 1

  /// The number that `take` gives next.
  var upcoming: UInt64 { next + 1 }

  /// The number for the next heartbeat.
  mutating func take() -> UInt64 {
    next += 1
    return next
  }

  mutating func published(_ number: UInt64, now: NIODeadline) {
    guard number > heard, number >= first, published == nil else { return }
    published = (number, now)
  }

  mutating func arrived(_ number: UInt64) {
    heard = max(heard, number)
    if let published, published.number <= heard { self.published = nil }
  }

  /// The link was lost, or is only now subscribed: what was published before need not come, and proves nothing.
  mutating func lost() {
    first = next + 1
    published = nil
  }

  /// A probe has come back over the present link.
  var isHeard: Bool { heard >= first }

  /// Whether one that was certainly published has not come for so long.
  func isMissing(now: NIODeadline, after limit: TimeAmount) -> Bool {
    published.map { now - $0.at > limit } ?? false
  }
}
