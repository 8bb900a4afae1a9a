/// One unbroken numbering of a channel's messages: 8 of `[a-z0-9]`.
///
/// It changes whenever contiguity can no longer be proved.
public struct Epoch: Hashable, Sendable, CustomStringConvertible {
  public static let length = 8
  static let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)

  /// The eight ASCII bytes, the first in the highest place: written big-endian they are the text.
  public let bytes: UInt64

  public init?(_ text: some Collection<UInt8>) {
    guard text.count == Epoch.length else { return nil }
    var bytes: UInt64 = 0
    for byte in text {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        bytes = bytes << 8 | UInt64(byte)
      default: return nil
      }
    }
    self.bytes = bytes
  }

  public init?(_ text: some StringProtocol) {
    self.init(text.utf8)
  }

  private init(bytes: UInt64) {
    self.bytes = bytes
  }

  /// A new epoch: 41 bits of chance, so that two are the same by accident once in 10^12.
  public static func random() -> Epoch {
    var bytes: UInt64 = 0
    for _ in 0..<length {
      bytes = bytes << 8 | UInt64(alphabet.randomElement()!)
    }
    return Epoch(bytes: bytes)
  }

  public var description: String {
    String(decoding: (0..<8).map { UInt8(truncatingIfNeeded: bytes >> (56 - 8 * $0)) }, as: UTF8.self)
  }
}
