/// The last message seen in a channel, `epoch.offset`; the next one is `offset + 1`.
///
/// `epoch.0` is the position in an empty log.
public struct Cursor: Hashable, Sendable, CustomStringConvertible {
  public let epoch: Epoch
  /// Offsets of one epoch are contiguous from 1.
  public let offset: UInt64

  /// No offset is larger: what a client may send stays a number that every part of the cluster holds exactly.
  public static let maximumOffset = UInt64(1) << 53

  /// Whether a message can have this offset.
  public static func isMessage(offset: Int64) -> Bool {
    offset > 0 && offset <= Int64(maximumOffset)
  }

  public init(_ epoch: Epoch, _ offset: UInt64) {
    self.epoch = epoch
    self.offset = offset
  }

  /// Nil when `text` is not a cursor. Only the canonical form is one: no sign, no leading zero.
  public init?(_ text: some StringProtocol) {
    let bytes = Substring(text).utf8
    guard bytes.count > Epoch.length + 1, let epoch = Epoch(bytes.prefix(Epoch.length)) else { return nil }
    let rest = bytes.dropFirst(Epoch.length)
    let digits = rest.dropFirst()
    guard rest.first == UInt8(ascii: "."), digits.count <= 16,
      digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      digits.count == 1 || digits.first != UInt8(ascii: "0")
    else { return nil }
    let offset = digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1 - UInt8(ascii: "0")) }
    guard offset <= Cursor.maximumOffset else { return nil }
    self.init(epoch, offset)
  }

  public var description: String { "\(epoch).\(offset)" }
}
