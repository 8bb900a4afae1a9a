import SluiceClient
import Wire

/// What is known of one channel's log: what publishers were told, and what subscribers saw.
struct ChannelLog {
  /// One numbering of it.
  struct Numbering {
    /// The offset that `identities[0]` and `states[0]` are about.
    private(set) var first: UInt64 = 1
    private var identities: [UInt64] = []
    private var states: [State] = []
    private var last: UInt64 { first + UInt64(states.count) }

    private enum State: UInt8 {
      case unknown, seen, acknowledged
    }

    /// Offsets further apart than this are not of one numbering.
    private static let widestSpan = UInt64(1) << 24

    /// What is known to stand at an offset.
    subscript(offset: UInt64) -> PayloadIdentity? {
      guard offset >= first, offset < last, states[Int(offset - first)] != .unknown else { return nil }
      return PayloadIdentity(value: identities[Int(offset - first)])
    }

    /// False when it is out of all reason.
    mutating func set(_ offset: UInt64, _ identity: PayloadIdentity, isAcknowledged: Bool) -> Bool {
      if states.isEmpty { first = offset }
      if offset < first {
        let missing = first - offset
        guard missing < Numbering.widestSpan else { return false }
        identities.insert(contentsOf: repeatElement(0, count: Int(missing)), at: 0)
        states.insert(contentsOf: repeatElement(.unknown, count: Int(missing)), at: 0)
        first = offset
      } else if offset >= last {
        guard offset - last < Numbering.widestSpan else { return false }
        let missing = Int(offset - last) + 1
        identities.append(contentsOf: repeatElement(0, count: missing))
        states.append(contentsOf: repeatElement(.unknown, count: missing))
      }
      let index = Int(offset - first)
      identities[index] = identity.value
      if isAcknowledged {
        states[index] = .acknowledged
      } else if states[index] == .unknown {
        states[index] = .seen
      }
      return true
    }

    /// Acknowledged offsets within `range`.
    func acknowledged(in range: ClosedRange<UInt64>) -> [UInt64] {
      guard !states.isEmpty, range.upperBound >= first, range.lowerBound < last else { return [] }
      let from = max(range.lowerBound, first)
      let to = min(range.upperBound, last - 1)
      return (from...to).filter { states[Int($0 - first)] == .acknowledged }
    }

    var lastAcknowledged: UInt64? {
      states.lastIndex(of: .acknowledged).map { first + UInt64($0) }
    }

    /// Offsets that hold what another one holds already.
    func repetitions() -> [(first: UInt64, again: UInt64)] {
      // Nearly always there are none, and to be sure of that takes no table.
      let known = zip(identities, states).filter { $0.1 != .unknown }.map(\.0).sorted()
      guard zip(known, known.dropFirst()).contains(where: ==) else { return [] }
      var seen: [UInt64: UInt64] = [:]
      var found: [(first: UInt64, again: UInt64)] = []
      for index in states.indices where states[index] != .unknown {
        let offset = first + UInt64(index)
        if let before = seen.updateValue(offset, forKey: identities[index]) { found.append((before, offset)) }
      }
      return found
    }
  }

  /// In the order of their first acknowledgement.
  private(set) var order: [Epoch] = []
  private(set) var numberings: [Epoch: Numbering] = [:]

  /// What was known to stand there before, when it is something else; nil when all is well.
  mutating func acknowledge(_ cursor: Cursor, _ identity: PayloadIdentity) -> PayloadIdentity? {
    if !order.contains(cursor.epoch) { order.append(cursor.epoch) }
    return set(cursor, identity, isAcknowledged: true)
  }

  /// The same of what a subscriber saw.
  mutating func see(_ cursor: Cursor, _ identity: PayloadIdentity) -> PayloadIdentity? {
    let known = numberings[cursor.epoch]?[cursor.offset]
    if known == identity { return nil }
    return set(cursor, identity, isAcknowledged: false)
  }

  private mutating func set(
    _ cursor: Cursor,
    _ identity: PayloadIdentity,
    isAcknowledged: Bool
  ) -> PayloadIdentity? {
    let known = numberings[cursor.epoch, default: Numbering()][cursor.offset]
    if let known, known != identity { return known }
    let isWithinReason =
      numberings[cursor.epoch, default: Numbering()]
      .set(cursor.offset, identity, isAcknowledged: isAcknowledged)
    return isWithinReason ? nil : identity
  }

  /// Epochs that came after this one.
  func epochs(after epoch: Epoch) -> ArraySlice<Epoch> {
    guard let rank = order.firstIndex(of: epoch) else { return [] }
    return order[(rank + 1)...]
  }

  /// Acknowledged cursors of `epoch` within `range`.
  func acknowledged(_ epoch: Epoch, in range: ClosedRange<UInt64>) -> [Cursor] {
    numberings[epoch]?.acknowledged(in: range).map { Cursor(epoch, $0) } ?? []
  }
}
