public import NIOCore
public import Wire

/// What a token says (RFC 7519 section 4.1, and the rights of a client).
public struct TokenClaims: Sendable {
  /// `sub`.
  public var user: String?
  /// `info`: one JSON value that members show.
  public var info: ByteBuffer?
  /// `channels`: patterns by act; presence and history are what subscribe is where they are not given.
  public var rights: Rights
  /// `exp` and `nbf`, in milliseconds since 1970.
  public var expires: Int64?
  public var notBefore: Int64?
  public var audiences: [String]
  public var issuer: String?

  static let longestUser = 256
  static let longestInfo = 2_048
  static let mostPatterns = 200

  /// Reads the payload of a token.
  public init(_ payload: ByteBuffer) throws(TokenFault) {
    guard let claims = try? JSONObject(payload) else { throw .malformed("its claims are no JSON object") }
    user = try TokenClaims.user(claims["sub"])
    issuer = try TokenClaims.text(claims["iss"], "iss", atMost: 1_024)
    expires = try TokenClaims.time(claims["exp"], "exp")
    notBefore = try TokenClaims.time(claims["nbf"], "nbf")
    audiences = try TokenClaims.audiences(claims["aud"])
    rights = try TokenClaims.rights(claims["channels"])
    info = try TokenClaims.info(claims["info"])
  }

  /// Who it is; nil where nothing is said.
  public static func user(_ field: JSONField?, _ name: String = "sub") throws(TokenFault) -> String? {
    try text(field, name, atMost: longestUser)
  }

  /// What members show, in one line; nil where nothing is said.
  public static func info(_ field: JSONField?) throws(TokenFault) -> ByteBuffer? {
    guard let field, !field.isNull else { return nil }
    guard field.bytes.readableBytes <= longestInfo else {
      throw .badClaim("info: \(longestInfo) bytes at most")
    }
    // A copy: the claims are kept for longer than the token.
    var copy = ByteBuffer(bytes: field.bytes.readableBytesView)
    copy.replaceLineBreaks()
    return copy
  }

  private static func text(
    _ field: JSONField?,
    _ name: String,
    atMost limit: Int
  ) throws(TokenFault) -> String? {
    guard let field, !field.isNull else { return nil }
    guard let text = field.string, !text.isEmpty, text.utf8.count <= limit,
      text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f })
    else { throw .badClaim("\(name): expected a text of 1 to \(limit) bytes") }
    return text
  }

  /// A NumericDate: seconds since 1970, maybe with a fraction (RFC 7519 section 2).
  private static func time(_ field: JSONField?, _ name: String) throws(TokenFault) -> Int64? {
    guard let field, !field.isNull else { return nil }
    guard field.kind == .number, let seconds = Double(String(buffer: field.bytes)), seconds >= 0,
      seconds < 1e12
    else { throw .badClaim("\(name): expected seconds since 1970") }
    return Int64(seconds * 1_000)
  }

  private static func audiences(_ field: JSONField?) throws(TokenFault) -> [String] {
    guard let field, !field.isNull else { return [] }
    if let one = field.string { return [one] }
    guard let elements = field.elements, elements.count <= 100 else {
      throw .badClaim("aud: expected a text, or an array of texts")
    }
    let texts = elements.compactMap(\.string)
    guard texts.count == elements.count else { throw .badClaim("aud: expected a text, or an array of texts") }
    return texts
  }

  /// What is granted: nothing where nothing is said.
  public static func rights(_ field: JSONField?) throws(TokenFault) -> Rights {
    guard let field, !field.isNull else { return .namespacesOnly }
    guard let object = field.object else { throw .badClaim("channels: expected an object") }
    var granted: [Rights.Act: [ChannelPattern]] = [:]
    granted[.subscribe] = try patterns(object["subscribe"], .subscribe)
    granted[.publish] = try patterns(object["publish"], .publish)
    granted[.presence] = try patterns(object["presence"], .presence) ?? granted[.subscribe]
    granted[.history] = try patterns(object["history"], .history) ?? granted[.subscribe]
    return Rights(granted)
  }

  private static func patterns(
    _ field: JSONField?,
    _ act: Rights.Act
  ) throws(TokenFault) -> [ChannelPattern]? {
    guard let field, !field.isNull else { return nil }
    guard let elements = field.elements, elements.count <= mostPatterns else {
      throw .badClaim("channels.\(act.rawValue): expected an array of at most \(mostPatterns) patterns")
    }
    var patterns: [ChannelPattern] = []
    for element in elements {
      guard let pattern = element.string.flatMap(ChannelPattern.init) else {
        throw .badClaim("channels.\(act.rawValue): a pattern is a channel's name, maybe with * in it")
      }
      patterns.append(pattern)
    }
    return patterns
  }
}
