import DequeModule
import NIOCore
import Wire

/// The last messages of a channel, as one loop holds them: segments without a hole between them.
struct MessageRing {
  private(set) var segments: Deque<Segment> = []
  /// What the segments cost, in bytes.
  private(set) var weight = 0

  var isEmpty: Bool { segments.isEmpty }

  /// The oldest offset held.
  var oldest: UInt64? { segments.first?.first }

  /// The mean size of a message's frame, in bytes, where there is a message.
  var meanFrame: Int {
    let messages = segments.reduce(0) { $0 + $1.entries.count }
    return max(1, segments.reduce(0) { $0 + $1.frames.readableBytes } / max(1, messages))
  }

  mutating func append(_ segment: Segment) {
    segments.last?.forgetEvents()
    segments.append(segment)
    weight += segment.weight
  }

  mutating func prepend(_ segment: Segment) {
    segments.prepend(segment)
    weight += segment.weight
  }

  /// Drops the oldest segments until what is left costs at most `limit`; the newest stays.
  mutating func trim(to limit: Int) {
    guard weight > limit else { return }
    weight = segments.reduce(0) { $0 + $1.weight }
    while weight > limit, segments.count > 1 { weight -= segments.removeFirst().weight }
  }

  mutating func removeAll() {
    segments = []
    weight = 0
  }

  /// The segment that holds what follows `offset`, which the ring must hold.
  func segment(after offset: UInt64) -> Segment {
    if let newest = segments.last, newest.first <= offset + 1 { return newest }
    var low = 0
    var high = segments.count - 1
    while low < high {
      let middle = (low + high + 1) / 2
      if segments[middle].first <= offset + 1 { low = middle } else { high = middle - 1 }
    }
    return segments[low]
  }

  /// The newest offset whose message is older than `time`.
  func newest(before time: Int64) -> UInt64? {
    var found: UInt64?
    for segment in segments {
      for (index, entry) in segment.entries.enumerated() {
        guard entry.time < time else { return found }
        found = segment.first + UInt64(index)
      }
    }
    return found
  }
}
