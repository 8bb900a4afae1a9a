import Crypto
import NIOCore
import Wire

@testable import Admission

extension FuzzTarget {
  /// Tokens. The first byte says whether the rest is one, or the JSON of a header and of claims with a line feed between
  /// them, which are signed here.
  static let tokens = FuzzTarget(
    "tokens",
    longest: 1_500,
    words: [
      #"{"alg":"HS256"}"#, #""alg":"none""#, #""alg":"RS256""#, #""kid":"a""#, #""crit":["b64"]"#,
      #""typ":"JWT""#,
      #""sub":"ada""#, #""exp":4102444800"#, #""nbf":0"#, #""iss":"a""#, #""aud":["a","b"]"#,
      #""info":{"a":1}"#,
      #""channels":{"subscribe":["room:*"]}"#, #""publish":["*"]"#, #""presence":[]"#,
      #""history":["a*b*c"]"#,
      "\n", ".", "eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJub25lIn0", "\u{600}\\",
    ]
  ) { input in
    let rest = Array(input.dropFirst())
    if (input.first ?? 0) & 1 == 0 {
      let text = String(decoding: rest, as: UTF8.self)
      try demand((try? TokenTrial.verifier.verify(text)) == nil, "a token that nobody signed is accepted")
      if let token = try? UncheckedToken(text) { try token.demandOneForm(text) }
    } else {
      let parts = rest.split(separator: 0x0a, maxSplits: 1, omittingEmptySubsequences: false)
      try TokenTrial(header: Array(parts.first ?? []), payload: parts.count > 1 ? Array(parts[1]) : [])
        .perform()
    }
  }
}

extension UncheckedToken {
  /// A token can be written in one way only, so that nobody has a second one from the first.
  fileprivate func demandOneForm(_ text: String) throws {
    let parts = [
      Base64URL.encode(header.readableBytesView), Base64URL.encode(payload.readableBytesView),
      Base64URL.encode(signature),
    ]
    try demandSame(parts.joined(separator: "."), text, "written anew, it is another token")
  }
}

/// A token that is signed as it should be, whatever it says.
private struct TokenTrial {
  static let secret = Array("what nobody but this target knows, and no input".utf8)
  static let verifier: TokenVerifier = {
    var rules = TokenRules()
    rules.requiresExpiry = false
    // The keys are good, so this does not fail.
    let keys = try! outcome { try await TokenKeys(opening: [TokenKey(secret: secret)]) }
    return TokenVerifier(keys, rules: rules)
  }()

  let header: [UInt8]
  let payload: [UInt8]

  func perform() throws {
    let signed = "\(Base64URL.encode(header)).\(Base64URL.encode(payload))"
    let code = HMAC<SHA256>.authenticationCode(
      for: Array(signed.utf8),
      using: SymmetricKey(data: TokenTrial.secret)
    )
    let text = "\(signed).\(Base64URL.encode(Array(code)))"
    let claims = Result { () throws(TokenFault) in try TokenClaims(ByteBuffer(bytes: payload)) }
    do throws(TokenFault) {
      let verified = try TokenTrial.verifier.verify(text)
      let unchecked = try UncheckedToken(text)
      try TokenTrial.same(unchecked.algorithm, .hs256, "the key was used for another algorithm")
      try TokenTrial.same(verified.user, try claims.get().user, "another user")
      let now = WallClock.milliseconds()
      let end = verified.expires.map { $0 + TokenTrial.verifier.rules.leeway } ?? .max
      let start = verified.notBefore.map { $0 - TokenTrial.verifier.rules.leeway } ?? .min
      if end < now - 1_000 || start > now + 1_000 { throw .badClaim("accepted before or after its time") }
    } catch {
      switch error {
      case .badSignature: throw Broken(description: "its own signature is refused")
      case .badClaim(let what) where what.hasPrefix("accepted") || what.hasPrefix("differs"):
        throw Broken(description: what)
      default: break
      }
    }
    if case .success(let claims) = claims { try claims.demandBounds() }
  }

  private static func same<Value: Equatable>(_ left: Value, _ right: Value, _ what: String) throws(TokenFault)
  {
    if left != right { throw .badClaim("differs: \(what)") }
  }
}

extension TokenClaims {
  /// What they may be at the most; and what a maker writes of them is read as the same.
  fileprivate func demandBounds() throws {
    try demand((user?.utf8.count ?? 1) <= TokenClaims.longestUser, "a user too long")
    try demand(user.map { !$0.utf8.contains { $0 < 0x20 } } ?? true, "a user of control characters")
    try demand((info?.readableBytes ?? 0) <= TokenClaims.longestInfo, "info too long")
    if let info {
      try JSONScanner.validate(info)
      try demand(!info.readableBytesView.contains { $0 == 0x0a || $0 == 0x0d }, "info of several lines")
    }
    try demand(
      (rights.granted ?? [:]).values.allSatisfy { $0.count <= TokenClaims.mostPatterns },
      "too many patterns"
    )

    var wish = TokenMaker.Wish()
    wish.user = user
    wish.issuer = issuer
    wish.audiences = audiences
    wish.expires = expires.map { $0 / 1_000 }
    wish.notBefore = notBefore.map { $0 / 1_000 }
    wish.info = info
    wish.granted = rights.granted?.mapValues { $0.map(\.text) }
    let again = try TokenClaims(wish.payload)
    try demandSame(again.user, user, "user")
    try demandSame(again.issuer, issuer, "issuer")
    try demandSame(again.audiences, audiences, "audiences")
    try demandSame(again.expires, expires.map { $0 / 1_000 * 1_000 }, "expires")
    try demandSame(again.notBefore, notBefore.map { $0 / 1_000 * 1_000 }, "not before")
    try demandSame(again.info, info, "info")
    try demandSame(again.rights, rights, "rights")
  }
}
