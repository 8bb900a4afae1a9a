/// A text that equals only its own bytes. Two users, or two keys, of which one only looks like the other are two, in
/// memory as in Redis; to `String` they are the same where Unicode takes them for equivalent (UAX #15 section 1.1).
public struct ExactText: Hashable, Sendable {
  public let text: String

  public init(_ text: String) {
    self.text = text
  }

  public static func == (one: ExactText, other: ExactText) -> Bool {
    one.text.utf8.elementsEqual(other.text.utf8)
  }

  public func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}
