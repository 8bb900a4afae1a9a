/// The grammar of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1): `name; parameter; parameter=value, …`.
enum ExtensionList {
  typealias Offer = (name: String, parameters: [(name: String, value: String?)])

  /// Bytes. Whoever offers more means no good.
  private static let longest = 1_024

  /// Nil when the text is malformed, or too long.
  static func parse(_ text: String) -> [Offer]? {
    var offers: [Offer] = []
    let isSound = read(text) { element in
      switch element {
      case .offer(let name):
        offers.append((name.lowercased(), []))
      case .parameter(let name, let value):
        let value = value.map { String($0).replacing("\\", with: "") }
        offers[offers.count - 1].parameters.append((name.lowercased(), value))
      }
    }
    return isSound ? offers : nil
  }

  /// Whether it is neither malformed nor too long. Allocates nothing.
  static func isWellFormed(_ text: String) -> Bool {
    read(text) { _ in }
  }

  private enum Element {
    case offer(Substring)
    /// The value is without its quotes, and with what was escaped in them.
    case parameter(Substring, Substring?)
  }

  /// Whether all of the text is a list; gives its elements as far as it is one.
  private static func read(_ text: String, _ found: (Element) -> Void) -> Bool {
    guard text.utf8.count <= longest else { return false }
    var rest = Rest(text: text[...].utf8)
    repeat {
      rest.skipBlanks()
      // RFC 9110 section 5.6.1: empty elements are none.
      guard let name = rest.token() else { continue }
      found(.offer(name))
      while rest.skip(UInt8(ascii: ";")) {
        guard let name = rest.token() else { return false }
        guard rest.skip(UInt8(ascii: "=")) else {
          found(.parameter(name, nil))
          continue
        }
        guard let value = rest.value() else { return false }
        found(.parameter(name, value))
      }
    } while rest.skip(UInt8(ascii: ","))
    return rest.text.isEmpty
  }

  /// What is not read yet.
  private struct Rest {
    var text: Substring.UTF8View

    mutating func skipBlanks() {
      while let byte = text.first, byte == 0x20 || byte == 0x09 { text.removeFirst() }
    }

    /// Skips the byte and the blanks around it, if it is the next.
    mutating func skip(_ byte: UInt8) -> Bool {
      skipBlanks()
      guard text.first == byte else { return false }
      text.removeFirst()
      skipBlanks()
      return true
    }

    mutating func token() -> Substring? {
      let token = text.prefix(while: Rest.isTokenByte)
      text = text[token.endIndex...]
      return token.isEmpty ? nil : Substring(token)
    }

    /// A token, or a quoted string whose content is one.
    mutating func value() -> Substring? {
      guard text.first == UInt8(ascii: "\"") else { return token() }
      text.removeFirst()
      let start = text
      while let byte = text.popFirst() {
        if byte == UInt8(ascii: "\"") {
          let content = start[..<text.startIndex].dropLast()
          return content.isEmpty ? nil : Substring(content)
        }
        let plain = byte == UInt8(ascii: "\\") ? text.popFirst() : byte
        guard let plain, Rest.isTokenByte(plain) else { return nil }
      }
      return nil
    }

    /// RFC 9110 section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
      default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
      }
    }
  }
}
