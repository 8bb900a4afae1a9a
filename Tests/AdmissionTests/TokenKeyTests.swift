import Testing
import Wire

@testable import Admission

@Suite struct TokenKeyTests {
  private func read(_ text: String) throws -> [TokenKey] { try TokenKey.read(Array(text.utf8)) }

  @Test func aFileIsWhatItSays() throws {
    #expect(try read(Keys.secret).map(\.algorithm) == [.hs256])
    #expect(try read(Keys.secret + "\n").count == 1)
    #expect(try read(Keys.rsaPublic).map(\.algorithm) == [.rs256])
    #expect(try read(Keys.ecdsaPublic + "\n" + Keys.eddsaPublic).map(\.algorithm) == [.es256, .eddsa])
    #expect(try read(Keys.rsaPublic).allSatisfy { !$0.canSign })
    #expect(try read(Keys.rsa + "\n" + Keys.ecdsa + "\n" + Keys.eddsa).allSatisfy(\.canSign))
    #expect(try read(Keys.certificate).map(\.algorithm) == [.es256])
  }

  @Test(arguments: [
    "", "a short secret", Keys.smallRSA, Keys.otherCurve, "-----BEGIN PUBLIC KEY-----\nAAAA",
    "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "{}", #"{"keys":[]}"#, #"{"keys":7}"#,
    #"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, #"{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}"#,
    #"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#,
  ])
  func whatIsNoKeyIsSaidToBeNone(_ text: String) {
    #expect(throws: TokenKeyFailure.self) { try read(text) }
  }

  @Test func aSetPassesOverWhatIsForSomethingElse() throws {
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    let keys = try read(
      """
      {"keys":[
        {"kty":"OKP","crv":"Ed25519","x":"\(x)","kid":"a"},
        {"kty":"OKP","crv":"Ed25519","x":"\(x)","kid":"b","use":"enc"},
        {"kty":"OKP","crv":"X25519","x":"\(x)","kid":"c"},
        {"kty":"EC","crv":"P-384","x":"AA","y":"AA","kid":"d"},
        {"kty":"oct","k":"\(Base64URL.encode(Array(Keys.secret.utf8)))","kid":"e","alg":"HS256"},
        {"kty":"oct","k":"AA","kid":"f","alg":"HS512"},
        {"kty":"new","kid":"g"}
      ]}
      """
    )
    #expect(keys.map(\.id) == ["a", "e"])
    #expect(keys.map(\.algorithm) == [.eddsa, .hs256])
  }

  /// One key of no use does not take the others with it, where they come from elsewhere.
  @Test func aBrokenKeyOfASetCanBePassedOver() throws {
    let good = #"{"kty":"oct","k":"\#(Base64URL.encode(Array(Keys.secret.utf8)))","kid":"good"}"#
    let broken = [
      #"{"kty":"oct","k":"c2hvcnQ"}"#, #"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "7",
      #"{"kty":"RSA","n":"\#(String(repeating: "A", count: 170))AB","e":"AQAB"}"#,
    ]
    let set = Array("{\"keys\":[\((broken + [good]).joined(separator: ","))]}".utf8)
    #expect(throws: TokenKeyFailure.self) { try TokenKey.read(keySet: set) }
    var heard: [TokenKeyFailure] = []
    #expect(try TokenKey.read(keySet: set) { heard.append($0) }.map(\.id) == ["good"])
    #expect(heard.count == broken.count)
    #expect(throws: TokenKeyFailure.self) {
      try TokenKey.read(keySet: Array("{\"keys\":[\(broken[0])]}".utf8)) { _ in }
    }
  }

  @Test func aSetHasItsBounds() {
    let key = #"{"kty":"new"}"#
    let many = "{\"keys\":[\(Array(repeating: key, count: 33).joined(separator: ","))]}"
    #expect(throws: TokenKeyFailure.self) { try read(many) }
  }
}
