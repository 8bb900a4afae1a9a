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
