import DequeModule
import NIOCore

/// Which rosters are to be read from Redis, one after another, and how far the present one is. Pure.
struct RedisRosterQueue {
  private var waiting: Deque<String> = []
  private var known: Set<String> = []
  /// A page is on its way.
  var isReading = false
  /// Counts the losses of the feed: what was read over one of them is no comparison.
  private(set) var losses = 0
  /// Until then, members that Redis does not have may be on their way back: every node joins its own again.
  private(set) var returnsUntil: NIODeadline?

  /// Rosters read for the first time, and which probe proves that the feed has brought all that was before.
  private var unproven: [(name: String, probe: UInt64)] = []

  /// The name of the feed whose roster is next.
  var first: String? { waiting.first }

  /// Nothing is heard from now on.
  mutating func feedLost() {
    losses += 1
    unproven = []
  }

  /// What was read first is proven by a probe that is published from now on.
  mutating func mustProve(_ name: String, by probe: UInt64) {
    unproven.append((name, probe))
  }

  /// The rosters that this probe proves.
  mutating func proven(by probe: UInt64) -> [String] {
    guard let first = unproven.first, first.probe <= probe else { return [] }
    let proven = unproven.prefix { $0.probe <= probe }.map(\.name)
    unproven.removeFirst(proven.count)
    return proven
  }

  mutating func append(_ name: String) {
    if known.insert(name).inserted { waiting.append(name) }
  }

  mutating func removeFirst() {
    known.remove(waiting.removeFirst())
  }

  /// Redis may have forgotten members; they have until then to be joined again.
  mutating func expectReturns(until deadline: NIODeadline) {
    returnsUntil = deadline
  }

  /// Whether the time for returns has just come to its end: who is absent now is gone.
  mutating func returnsEnded(now: NIODeadline) -> Bool {
    guard let until = returnsUntil, now >= until else { return false }
    returnsUntil = nil
    return true
  }
}
