import JWTKit
public import NIOCore
import Wire

/// Signs tokens, for backends and for trying things out.
public struct TokenMaker: Sendable {
  /// What to say; times in seconds since 1970.
  public struct Wish: Sendable {
    public var user: String?
    public var expires: Int64?
    public var notBefore: Int64?
    public var issued: Int64?
    public var audiences: [String] = []
    public var issuer: String?
    /// One JSON value.
    public var info: ByteBuffer?
    /// Patterns by act; nil to say nothing of channels.
    public var granted: [Rights.Act: [String]]?

    public init() {}

    var payload: ByteBuffer {
      var json = ByteBuffer()
      json.openObject()
      if let user { json.writeMember("sub", user) }
      if let issuer { json.writeMember("iss", issuer) }
      if audiences.count == 1 { json.writeMember("aud", audiences[0]) }
      if audiences.count > 1 { json.writeMember("aud", arrayOf: audiences) { $0.writeJSONString($1) } }
      if let issued { json.writeMember("iat", issued) }
      if let notBefore { json.writeMember("nbf", notBefore) }
      if let expires { json.writeMember("exp", expires) }
      if let info { json.writeMember("info", info) }
      if let granted {
        json.writeMember("channels") { json in
          json.openObject()
          if let list = granted[.subscribe] { json.writeMember("subscribe", arrayOf: list, TokenMaker.write) }
          if let list = granted[.publish] { json.writeMember("publish", arrayOf: list, TokenMaker.write) }
          if let list = granted[.presence] { json.writeMember("presence", arrayOf: list, TokenMaker.write) }
          if let list = granted[.history] { json.writeMember("history", arrayOf: list, TokenMaker.write) }
          json.closeObject()
        }
      }
      json.closeObject()
      return json
    }
  }

  private static func write(_ json: inout ByteBuffer, _ text: String) { json.writeJSONString(text) }

  private let key: TokenKey

  /// Throws when the key is one that can only verify.
  public init(_ key: TokenKey) throws(TokenKeyFailure) {
    guard key.canSign else {
      throw TokenKeyFailure("a public key cannot sign: give the private one, or a secret")
    }
    self.key = key
  }

  /// A token with these claims. Throws when they are none that a node would read.
  public func token(_ wish: Wish) async throws -> String {
    let payload = wish.payload
    _ = try TokenClaims(payload)
    return try await sign(payload)
  }

  /// A token with any claims.
  public func sign(_ payload: ByteBuffer) async throws -> String {
    var header = ByteBuffer()
    header.openObject()
    header.writeMember("alg", key.algorithm.rawValue)
    header.writeMember("typ", "JWT")
    if let id = key.id { header.writeMember("kid", id) }
    header.closeObject()
    let signed =
      "\(Base64URL.encode(header.readableBytesView)).\(Base64URL.encode(payload.readableBytesView))"
    let signature = try await key.opened().sign(Array(signed.utf8))
    return "\(signed).\(Base64URL.encode(signature))"
  }
}
