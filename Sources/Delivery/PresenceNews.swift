import DequeModule
import Wire

/// Joins and leaves of one channel that somebody is still to be told: of each member the last. Pure.
///
/// What a member did before is left out, but never its last step, though it may undo one that was not told: a
/// listener may have read the members in between.
struct PresenceNews {
  struct Item {
    let serial: UInt64
    let member: String
    /// A join or a leave.
    let event: ServerEvent
  }

  /// In order, and with them some whose member has done something since.
  private var items: Deque<Item> = []
  private var last: [String: UInt64] = [:]
  /// The number of the next one.
  private(set) var next: UInt64 = 0

  var isEmpty: Bool { last.isEmpty }

  var count: Int { last.count }

  /// The number of the oldest one kept.
  var oldest: UInt64 { items.first?.serial ?? next }

  /// `event` is a join or a leave of `member`.
  mutating func append(_ event: ServerEvent, of member: String) {
    last[member] = next
    items.append(Item(serial: next, member: member, event: event))
    next += 1
    if items.count > 2 * last.count + 16 { items.removeAll { last[$0.member] != $0.serial } }
  }

  /// The first from this number on.
  func first(from serial: UInt64) -> Item? {
    var low = items.startIndex
    var high = items.endIndex
    while low < high {
      let middle = (low + high) / 2
      if items[middle].serial < serial { low = middle + 1 } else { high = middle }
    }
    return items[low...].first { last[$0.member] == $0.serial }
  }

  /// Everything, in order; nothing is left.
  mutating func takeAll() -> [(member: String, event: ServerEvent)] {
    defer { clear() }
    return items.filter { last[$0.member] == $0.serial }.map { ($0.member, $0.event) }
  }

  /// Forgets the oldest, so that at most so many are left.
  mutating func keepNewest(_ count: Int) {
    items.removeAll { last[$0.member] != $0.serial }
    for item in items.prefix(max(0, items.count - count)) { last[item.member] = nil }
    items.removeFirst(max(0, items.count - count))
  }

  /// Everybody was told.
  mutating func clear() {
    items = []
    last = [:]
  }
}
