public import Wire

/// What the peer did against RFC 6455, or against our limits. The connection fails with it: a close
/// frame with this code and reason, then the end of the connection (section 7.1.7).
public struct WebSocketViolation: Error, Hashable, Sendable {
  public let closeCode: CloseCode
  /// Short enough for a close frame; it may be shown to the peer.
  public let reason: String

  public init(closeCode: CloseCode, reason: String) {
    self.closeCode = closeCode
    self.reason = reason
  }

  static func malformed(_ reason: String) -> WebSocketViolation {
    WebSocketViolation(closeCode: .protocolError, reason: reason)
  }

  public static let badUTF8 = WebSocketViolation(closeCode: .invalidText, reason: "not UTF-8")

  static func tooBig(limit: Int) -> WebSocketViolation {
    WebSocketViolation(closeCode: .tooBig, reason: "message over \(limit) bytes")
  }
}
