import SluiceClient
import Wire

/// Keeps what stands in one channel's log, once for all the clients of a loop, and times what arrives.
final class ChannelWitness: DeliveryWitness {
  /// What was seen of one numbering.
  struct Seen: Sendable {
    let epoch: Epoch
    /// The offset of `identities[0]`.
    var first: UInt64
    /// 0 where nothing was seen.
    var identities: [UInt64] = []
  }

  /// Offsets further apart than this are not of one numbering.
  private static let widestSpan = UInt64(1) << 24

  private(set) var seen: [Seen] = []
  private let counters: LoadCounters
  private let isTimed: Bool

  /// - Parameter isTimed: false for clients that are slow on purpose.
  init(_ counters: LoadCounters, isTimed: Bool) {
    self.counters = counters
    self.isTimed = isTimed
  }

  func saw(_ cursor: Cursor, _ data: UnsafeRawBufferPointer) -> Bool {
    counters.delivered(due: LoadPayload.due(of: data) ?? 0, bytes: data.count, isTimed: isTimed)
    let identity = PayloadIdentity(data).value
    var index = seen.count - 1
    while index >= 0, seen[index].epoch != cursor.epoch { index -= 1 }
    if index < 0 {
      seen.append(Seen(epoch: cursor.epoch, first: cursor.offset))
      index = seen.count - 1
    }
    return seen[index].take(cursor.offset, identity, within: ChannelWitness.widestSpan)
  }
}

extension ChannelWitness.Seen {
  /// False when something else was seen there, or when the offset is out of all reason.
  fileprivate mutating func take(_ offset: UInt64, _ identity: UInt64, within widest: UInt64) -> Bool {
    if offset < first {
      let missing = first - offset
      guard missing < widest else { return false }
      identities.insert(contentsOf: repeatElement(0, count: Int(missing)), at: 0)
      first = offset
    }
    let place = offset - first
    guard place < UInt64(identities.count) + widest else { return false }
    let index = Int(place)
    if index == identities.count {
      identities.append(identity)
      return true
    }
    if index > identities.count {
      identities.append(contentsOf: repeatElement(0, count: index - identities.count + 1))
    }
    guard identities[index] != 0 else {
      identities[index] = identity
      return true
    }
    return identities[index] == identity
  }
}

@available(*, unavailable)
extension ChannelWitness: Sendable {}
