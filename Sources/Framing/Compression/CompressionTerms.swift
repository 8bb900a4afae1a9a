public import NIOHTTP1

/// What permessage-deflate was agreed to mean on one connection (RFC 7692). Neither side keeps its context from message
/// to message: so a message is compressed once for everybody, and an idle connection costs nothing.
public struct CompressionTerms: Sendable, Hashable {
  /// The window that the client has for what we send, as its logarithm: 9, 12 or 15.
  public var serverWindowBits = 15
  private var namesWindow = false

  /// The answer in `Sec-WebSocket-Extensions`.
  public var description: String {
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
      + (namesWindow ? "; server_max_window_bits=\(serverWindowBits)" : "")
  }

  /// Accepts the first of a client's offers that is valid and can be met; nil when there is none (section 5.1).
  public init?(offeredIn headers: HTTPHeaders) {
    for value in headers["Sec-WebSocket-Extensions"] {
      guard let offers = ExtensionList.parse(value) else { continue }
      for offer in offers where offer.name == "permessage-deflate" {
        guard let terms = CompressionTerms(offer.parameters) else { continue }
        self = terms
        return
      }
    }
    return nil
  }

  /// Section 7.1: each parameter once, with a value only where it has one.
  private init?(_ parameters: [(name: String, value: String?)]) {
    var seen: Set<String> = []
    for (name, value) in parameters {
      guard seen.insert(name).inserted else { return nil }
      switch name {
      case "server_no_context_takeover", "client_no_context_takeover":
        guard value == nil else { return nil }
      case "server_max_window_bits":
        // zlib has no raw deflate with a window of 256 bytes: an offer that insists on it is declined.
        guard let bits = value.flatMap(CompressionTerms.windowBits), bits > 8 else { return nil }
        // Three sizes in all, so that a message is never compressed more than three times: a smaller one than was
        // asked for may be used.
        serverWindowBits = bits == 15 ? 15 : bits >= 12 ? 12 : 9
        namesWindow = true
      case "client_max_window_bits":
        // The client may use what it likes: any window can be read.
        guard value.map({ CompressionTerms.windowBits($0) != nil }) ?? true else { return nil }
      default: return nil
      }
    }
  }

  /// 8 to 15, without a leading zero.
  private static func windowBits(_ text: String) -> Int? {
    guard let bits = Int(text), (8...15).contains(bits), text == String(bits) else { return nil }
    return bits
  }
}

/// The grammar of `Sec-WebSocket-Extensions` (RFC 6455 section 9.1): `name; parameter; parameter=value, …`.
enum ExtensionList {
  typealias Offer = (name: String, parameters: [(name: String, value: String?)])

  /// Bytes. Whoever offers more means no good.
  private static let longest = 1_024

  /// Nil when the text is malformed, or too long.
  static func parse(_ text: String) -> [Offer]? {
    guard text.utf8.count <= longest else { return nil }
    var offers: [Offer] = []
    for part in split(text, at: UInt8(ascii: ",")) {
      // RFC 9110 section 5.6.1: empty elements are none.
      if trimmed(part).isEmpty { continue }
      let pieces = split(part, at: UInt8(ascii: ";")).map(trimmed)
      guard let name = pieces.first, isToken(name) else { return nil }
      var parameters: [(name: String, value: String?)] = []
      for piece in pieces.dropFirst() {
        guard let equals = piece.firstIndex(of: "=") else {
          guard isToken(piece) else { return nil }
          parameters.append((piece.lowercased(), nil))
          continue
        }
        let name = trimmed(piece[..<equals])
        guard isToken(name), let value = unquoted(trimmed(piece[piece.index(after: equals)...])) else {
          return nil
        }
        parameters.append((name.lowercased(), value))
      }
      offers.append((name.lowercased(), parameters))
    }
    return offers
  }

  /// Splits at a separator that is not inside of quotes.
  private static func split(_ text: some StringProtocol, at separator: UInt8) -> [String] {
    var parts: [[UInt8]] = [[]]
    var isQuoted = false
    var isEscaped = false
    for byte in text.utf8 {
      if byte == separator, !isQuoted {
        parts.append([])
        continue
      }
      if byte == UInt8(ascii: "\""), !isEscaped { isQuoted.toggle() }
      isEscaped = isQuoted && byte == UInt8(ascii: "\\") && !isEscaped
      parts[parts.count - 1].append(byte)
    }
    return parts.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    let start = text.drop(while: isBlank)
    return String(String(start.reversed().drop(while: isBlank)).reversed())
  }

  /// A token, or a quoted string whose content is one.
  private static func unquoted(_ text: String) -> String? {
    guard text.hasPrefix("\"") else { return isToken(text) ? text : nil }
    guard text.utf8.count >= 2, text.hasSuffix("\"") else { return nil }
    let content = String(text.dropFirst().dropLast()).replacing("\\", with: "")
    return isToken(content) ? content : nil
  }

  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        byte > 0x20 && byte < 0x7f && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
      }
  }
}
