import DequeModule
import Wire

/// Which receipts are to be forgotten, in the order in which they were given: all live equally long. It grows in
/// pieces, which are never copied, and each is let go once it is used up.
struct MemoryReceiptQueue {
  struct Entry {
    var channel: ChannelName
    var key: ExactText
    /// Until when it is remembered (ms since 1970).
    var until: Int64
  }

  private static let piece = 1_024

  private var pieces: Deque<Deque<Entry>> = []

  mutating func append(_ entry: Entry) {
    if pieces.last.map({ $0.count < MemoryReceiptQueue.piece }) != true {
      pieces.append(Deque(minimumCapacity: MemoryReceiptQueue.piece))
    }
    pieces[pieces.count - 1].append(entry)
  }

  /// The next one that is over. So is one that would live for far too long: the clock was put back, and what came since
  /// would have to wait for it.
  mutating func popFirst(until now: Int64) -> Entry? {
    let latest = now + 2 * MemoryBroker.keyLifetime
    guard let first = pieces.first?.first, first.until <= now || first.until > latest else { return nil }
    pieces[0].removeFirst()
    if pieces[0].isEmpty { pieces.removeFirst() }
    return first
  }
}
