import NIOCore
import Testing
import Wire

@testable import Admission

@Suite struct TokenTests {
  private static let now = WallClock.milliseconds() / 1_000

  private func wish(_ adjust: (inout TokenMaker.Wish) -> Void = { _ in }) -> TokenMaker.Wish {
    var wish = TokenMaker.Wish()
    wish.user = "ada"
    wish.expires = TokenTests.now + 600
    wish.granted = [.subscribe: ["room:*"], .publish: ["room:lobby"]]
    adjust(&wish)
    return wish
  }

  private func verifier(
    _ keys: String...,
    rules adjust: (inout TokenRules) -> Void = { _ in }
  ) async throws -> TokenVerifier {
    var rules = TokenRules()
    adjust(&rules)
    let keys = try keys.flatMap { try TokenKey.read(Array($0.utf8)) }
    return TokenVerifier(try await TokenKeys(opening: keys), rules: rules)
  }

  private func token(_ key: String, _ wish: TokenMaker.Wish, id: String? = nil) async throws -> String {
    var key = try Keys.read(key)
    key.id = id
    return try await TokenMaker(key).token(wish)
  }

  private func signed(_ key: String, _ payload: String) async throws -> String {
    try await TokenMaker(Keys.read(key)).sign(ByteBuffer(string: payload))
  }

  private func fault(
    _ verifier: TokenVerifier,
    _ token: String,
    now: Int64 = WallClock.milliseconds()
  ) -> TokenFault? {
    do {
      _ = try verifier.verify(token, now: now)
      return nil
    } catch {
      return error
    }
  }

  private func encode(_ text: String) -> String { Base64URL.encode(Array(text.utf8)) }

  // MARK: Good ones

  @Test(arguments: [
    (Keys.secret, Keys.secret), (Keys.rsa, Keys.rsaPublic), (Keys.rsaJWK, Keys.rsaPublic),
    (Keys.ecdsa, Keys.ecdsaPublic),
    (Keys.eddsa, Keys.eddsaPublic), (Keys.ecdsa, Keys.certificate),
    (Keys.ecdsaWithParameters, Keys.ecdsaWithParameters),
  ])
  func aTokenIsVerifiedByTheOtherHalfOfItsKey(_ keys: (String, String)) async throws {
    let verifier = try await verifier(keys.1)
    let wish = wish { $0.info = ByteBuffer(string: #"{"name":"Ada"}"#) }
    let token = try await token(keys.0, wish)
    // The second time from memory.
    for _ in 0..<2 {
      let claims = try verifier.verify(token)
      #expect(claims.user == "ada")
      #expect(claims.info.map { String(buffer: $0) } == #"{"name":"Ada"}"#)
      #expect(claims.expires == (TokenTests.now + 600) * 1_000)
      let lobby = try #require(ChannelName("room:lobby"))
      let other = try #require(ChannelName("room:other"))
      #expect(Rights.Act.allCases.allSatisfy { claims.rights.grants($0, lobby) })
      #expect(claims.rights.grants(.subscribe, other) && claims.rights.grants(.history, other))
      #expect(!claims.rights.grants(.publish, other))
    }
  }

  @Test func oneKeyIsChosenByItsName() async throws {
    var first = try Keys.read(Keys.secret)
    var second = try Keys.read("another secret of more than 32 bytes!!")
    first.id = "one"
    second.id = "two"
    let verifier = TokenVerifier(try await TokenKeys(opening: [first, second]), rules: TokenRules())
    #expect(try await fault(verifier, token(Keys.secret, wish(), id: "one")) == nil)
    #expect(try await fault(verifier, token(Keys.secret, wish())) == nil)
    #expect(try await fault(verifier, token(Keys.secret, wish(), id: "two")) == .badSignature)
    #expect(try await fault(verifier, token(Keys.secret, wish(), id: "three")) == .unknownKey)
  }

  /// A name that is new is asked for, also where there are keys without a name.
  @Test func aNewNameIsUnknownBesideKeysWithoutOne() async throws {
    let verifier = try await verifier(Keys.secret)
    let other = "another secret of more than 32 bytes!!"
    #expect(try await fault(verifier, token(other, wish(), id: "new")) == .unknownKey)
    #expect(try await fault(verifier, token(Keys.secret, wish(), id: "new")) == nil)
    #expect(try await fault(verifier, token(other, wish())) == .badSignature)
  }

  @Test func manyKeysOfOneAlgorithmAreNotAllTried() async throws {
    let keys = try (0..<9).map { try Keys.read("secret number \($0) of more than 32 bytes!!") }
    #expect(try await TokenKeys(opening: Array(keys.prefix(8))).crowded == [])
    #expect(try await TokenKeys(opening: keys).crowded == [.hs256])
  }

  // MARK: Hostile ones

  @Test func noneIsNoAlgorithm() async throws {
    let verifier = try await verifier(Keys.secret, Keys.rsaPublic)
    for name in ["none", "None", "NONE", "nOnE", "", "HS512", "HS256 ", "hs256", "PS256", "ES384"] {
      let header = encode(#"{"alg":"\#(name)"}"#)
      let payload = encode(#"{"sub":"root","exp":9999999999}"#)
      for signature in ["", "AAAA"] {
        #expect(fault(verifier, "\(header).\(payload).\(signature)") == .algorithm(name))
      }
    }
  }

  /// RFC 8725 section 2.1: the public key is known to everybody, so it must never be a secret.
  @Test(arguments: [Keys.rsaPublic, Keys.ecdsaPublic, Keys.eddsaPublic])
  func aPublicKeyIsNoSecret(_ key: String) async throws {
    let verifier = try await verifier(key)
    for secret in [key, key + "\n"] {
      let forged = try await TokenMaker(TokenKey(secret: Array(secret.utf8))).token(wish())
      #expect(fault(verifier, forged) == .unknownKey)
    }
  }

  @Test func aKeyVerifiesOnlyForItsAlgorithm() async throws {
    let keys = [Keys.secret, Keys.rsa, Keys.ecdsa, Keys.eddsa]
    for (index, key) in keys.enumerated() {
      let others = try await TokenKeys(
        opening: try keys.enumerated().filter { $0.offset != index }.map { try Keys.read($0.element) }
      )
      let token = try await token(key, wish())
      #expect(fault(TokenVerifier(others, rules: TokenRules()), token) == .unknownKey)
    }
  }

  @Test func aChangedTokenIsNoToken() async throws {
    let verifier = try await verifier(Keys.secret)
    let good = try await token(Keys.secret, wish())
    let parts = good.split(separator: ".")
    let payload = encode(#"{"sub":"root","exp":9999999999}"#)
    #expect(fault(verifier, "\(parts[0]).\(payload).\(parts[2])") == .badSignature)
    #expect(fault(verifier, "\(parts[0]).\(parts[1]).") == .badSignature)
    #expect(fault(verifier, "\(parts[0]).\(parts[1]).\(parts[2].dropLast(3))") == .badSignature)
    #expect(fault(verifier, good + "=") == .malformed("it is not base64url"))
    #expect(fault(verifier, good) == nil)
  }

  @Test(arguments: [
    "", ".", "..", "...", "a.b", "a.b.c.d", "eyJ9.e30.", "!!.e30.AA", "e30.e30.AA", "W10.e30.AA",
    "bnVsbA.e30.AA",
    " e30.e30.AA", "eyJhbGciOjF9.e30.AA",
  ])
  func whatIsNoTokenIsMalformed(_ text: String) async throws {
    guard case .malformed? = fault(try await verifier(Keys.secret), text) else {
      Issue.record("\(text) was read")
      return
    }
  }

  @Test func whatMustBeUnderstoodIsNot() async throws {
    let header = encode(#"{"alg":"HS256","crit":["b64"],"b64":false}"#)
    let verifier = try await verifier(Keys.secret)
    #expect(fault(verifier, "\(header).e30.AA") == .malformed("its header has crit"))
  }

  @Test func aHugeTokenIsNotRead() async throws {
    let verifier = try await verifier(Keys.secret)
    let huge = try await token(Keys.secret, wish { $0.audiences = [String(repeating: "a", count: 9_000)] })
    #expect(fault(verifier, huge) == .malformed("it is too long"))
    let header = encode(#"{"alg":"HS256","kid":"\#(String(repeating: "k", count: 300))"}"#)
    #expect(fault(verifier, "\(header).e30.AA") == .malformed("its kid is too long"))
    let deep = encode(String(repeating: "[", count: 500) + String(repeating: "]", count: 500))
    #expect(fault(verifier, "\(deep).e30.AA") == .malformed("its header is no JSON object"))
  }

  // MARK: Claims

  @Test func timesAreLookedAtWithLeeway() async throws {
    let verifier = try await verifier(Keys.secret) { $0.leeway = 10_000 }
    let now = WallClock.milliseconds() / 1_000
    let cases: [(Int64?, Int64?, TokenFault?)] = [
      (now + 60, nil, nil), (now - 5, nil, nil), (now - 11, nil, .expired), (nil, nil, .hasNoExpiry),
      (now + 60, now + 5, nil), (now + 60, now + 30, .notYetValid), (0, nil, .expired),
    ]
    for (expires, start, fault) in cases {
      let token = try await token(
        Keys.secret,
        wish {
          $0.expires = expires
          $0.notBefore = start
        }
      )
      #expect(self.fault(verifier, token) == fault)
    }
    let patient = try await self.verifier(Keys.secret) { $0.requiresExpiry = false }
    #expect(try await fault(patient, token(Keys.secret, wish { $0.expires = nil })) == nil)
  }

  @Test func whatWasVerifiedRunsOutAllTheSame() async throws {
    let verifier = try await verifier(Keys.secret) { $0.leeway = 0 }
    let token = try await signed(Keys.secret, #"{"exp":\#(Double(TokenTests.now) + 0.5)}"#)
    let end = TokenTests.now * 1_000 + 500
    for now in [end - 300, end - 1] { #expect(fault(verifier, token, now: now) == nil) }
    for now in [end, end + 1, end + 300] { #expect(fault(verifier, token, now: now) == .expired) }
  }

  /// Another look costs no signature, also at one that has run out. What no key verifies is never remembered.
  @Test func whatWasVerifiedIsRemembered() async throws {
    let verifier = try await verifier(Keys.ecdsaPublic)
    let good = try await token(Keys.ecdsa, wish())
    let late = try await token(Keys.ecdsa, wish { $0.expires = TokenTests.now - 600 })
    let other = try await token(Keys.secret, wish())
    let parts = good.split(separator: ".")
    let forged = "\(parts[0]).\(encode(#"{"sub":"root","exp":9999999999}"#)).\(parts[2])"
    for token in [good, late, other, forged] { #expect(!verifier.remembers(token)) }
    for _ in 0..<2 {
      #expect(fault(verifier, good) == nil && fault(verifier, late) == .expired)
      #expect(fault(verifier, other) == .unknownKey && fault(verifier, forged) == .badSignature)
    }
    #expect(verifier.remembers(good) && verifier.remembers(late))
    #expect(!verifier.remembers(other) && !verifier.remembers(forged))
    #expect(!verifier.remembers(String(repeating: "a", count: 10_000)))
    verifier.replaceKeys(try await TokenKeys(opening: [try Keys.read(Keys.ecdsaPublic)]))
    #expect(!verifier.remembers(good) && !verifier.remembers(late))
  }

  @Test func onlyWhatNoKeyVerifiesIsUnverified() {
    #expect(TokenFault.badSignature.isUnverified && TokenFault.unknownKey.isUnverified)
    let others: [TokenFault] = [
      .malformed("x"), .algorithm("none"), .noKeys, .expired, .notYetValid, .hasNoExpiry, .wrongAudience,
      .wrongIssuer, .badClaim("x"),
    ]
    #expect(others.allSatisfy { !$0.isUnverified })
  }

  @Test func aKeyThatIsGoneVerifiesNothing() async throws {
    let verifier = try await verifier(Keys.secret)
    let token = try await token(Keys.secret, wish())
    #expect(fault(verifier, token) == nil)
    verifier.replaceKeys(try await TokenKeys(opening: [try Keys.read(Keys.ecdsaPublic)]))
    #expect(fault(verifier, token) == .unknownKey)
  }

  @Test func audienceAndIssuerAreThoseOfTheSettings() async throws {
    let verifier = try await verifier(Keys.secret) {
      $0.audiences = ["sluice", "chat"]
      $0.issuers = ["https://id.example.com"]
    }
    let cases: [([String], String?, TokenFault?)] = [
      (["chat"], "https://id.example.com", nil), (["x", "sluice"], "https://id.example.com", nil),
      ([], "https://id.example.com", .wrongAudience), (["Chat"], "https://id.example.com", .wrongAudience),
      (["chat"], nil, .wrongIssuer), (["chat"], "https://id.example.com/", .wrongIssuer),
    ]
    for (audiences, issuer, fault) in cases {
      let token = try await token(
        Keys.secret,
        wish {
          $0.audiences = audiences
          $0.issuer = issuer
        }
      )
      #expect(self.fault(verifier, token) == fault)
    }
  }

  @Test(arguments: [
    #"{"exp":"soon"}"#, #"{"exp":-1}"#, #"{"exp":1e300}"#, #"{"exp":9999999999,"sub":7}"#,
    #"{"exp":9999999999,"sub":""}"#, #"{"exp":9999999999,"sub":"a\u0000b"}"#,
    #"{"exp":9999999999,"aud":[1]}"#,
    #"{"exp":9999999999,"channels":[]}"#, #"{"exp":9999999999,"channels":{"subscribe":"room:*"}}"#,
    #"{"exp":9999999999,"channels":{"publish":["a b"]}}"#, #"{"exp":9999999999,"channels":{"history":[7]}}"#,
  ])
  func aClaimThatIsNotWhatItShouldBeIsRefused(_ payload: String) async throws {
    let token = try await signed(Keys.secret, payload)
    guard case .badClaim? = fault(try await verifier(Keys.secret), token) else {
      Issue.record("\(payload) was taken")
      return
    }
  }

  @Test func presenceAndHistoryAreAsSubscribeUnlessGiven() throws {
    let claims = try TokenClaims(
      ByteBuffer(string: #"{"channels":{"subscribe":["a"],"history":[],"presence":["b"],"other":1}}"#)
    )
    let (a, b) = (try #require(ChannelName("a")), try #require(ChannelName("b")))
    #expect(claims.rights.grants(.subscribe, a) && !claims.rights.grants(.subscribe, b))
    #expect(!claims.rights.grants(.history, a))
    #expect(claims.rights.grants(.presence, b) && !claims.rights.grants(.presence, a))
    #expect(!claims.rights.grants(.publish, a))
  }
}
