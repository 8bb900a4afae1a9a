/// The name of a totally ordered log of messages: 1 to 128 of `[A-Za-z0-9_.:-]`.
public struct ChannelName: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The longest name allowed, in bytes.
  public static let maximumLength = 128

  public let text: String

  /// Nil when `text` is not a channel name.
  public init?(_ text: some StringProtocol) {
    let text = String(text)
    guard ChannelName.isValid(text.utf8) else { return nil }
    self.text = text
  }

  /// The part before the first `:`, which carries the channel's options; the whole name where there is none.
  public var namespace: Substring {
    text[..<(text.utf8.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex)]
  }

  public var description: String { text }

  public static func < (left: ChannelName, right: ChannelName) -> Bool {
    left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
  }

  static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
    (1...maximumLength).contains(bytes.count)
      && bytes.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }
}
