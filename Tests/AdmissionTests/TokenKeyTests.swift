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

  @Test func aPrivateKeyOfASetSigns() throws {
    #expect(try read(Keys.rsaJWK).map(\.canSign) == [true])
    let withoutHalf = Keys.rsaJWK.replacing("\"d\"", with: "\"other\"")
    #expect(try read(withoutHalf).map(\.canSign) == [false])
  }

  @Test func aPrivateHalfOfAnothersSetIsPassedOver() throws {
    let keys = try TokenKey.read(keySet: Array(Keys.rsaJWK.utf8), publicOnly: true)
    #expect(keys.map(\.canSign) == [false] && keys.map(\.algorithm) == [.rs256])
    let pair =
      #""x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","#
      + #""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#
    let text = #"{"kty":"OKP","crv":"Ed25519",\#(pair)}"#
    #expect(try read(text).map(\.canSign) == [true])
    #expect(try TokenKey.read(keySet: Array(text.utf8), publicOnly: true).map(\.canSign) == [false])
  }

  @Test(arguments: [1_401, 200_000])
  func tooLargeAModulusIsRefused(_ length: Int) {
    let modulus = String(repeating: "_", count: length)
    let failure = #expect(throws: TokenKeyFailure.self) {
      try read(#"{"kty":"RSA","n":"\#(modulus)","e":"AQAB","d":"\#(modulus)"}"#)
    }
    #expect(failure != nil)
  }

  /// What everybody may know is no secret, however it is written.
  @Test(arguments: [
    Keys.rsaPublic, Keys.ecdsaPublic, Keys.eddsaPublic, Keys.rsa, Keys.ecdsa, Keys.eddsa, Keys.certificate,
  ])
  func aKeyInDERIsNoSecret(_ pem: String) throws {
    let lines = pem.split(separator: "\n").filter { !$0.hasPrefix("-----") }
    let text = lines.joined().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    let bytes = try #require(Base64URL.decode(Array(text.utf8)))
    // An editor, or a shell, may have added a line break.
    for end in ["", "\n", "\r\n"] {
      let failure = #expect(throws: TokenKeyFailure.self) { try TokenKey.read(bytes + Array(end.utf8)) }
      #expect(failure?.description.contains("PEM") == true)
    }
  }

  /// Whatever stands for its private half.
  @Test func anRSAKeyHasAnOddModulusOfSomeLength() {
    let secret = Base64URL.encode([UInt8](repeating: 0x55, count: 255) + [1])
    for (last, count) in [(0xd4, 256), (0xd4, 20), (0xd5, 20), (0xd5, 255), (0, 256)] as [(UInt8, Int)] {
      let modulus = Base64URL.encode([UInt8](repeating: 0x9e, count: count - 1) + [last])
      for half in ["", #","d":"\#(secret)""#] {
        let text = #"{"kty":"RSA","n":"\#(modulus)","e":"AQAB"\#(half)}"#
        #expect(throws: TokenKeyFailure.self) { try read(text) }
      }
    }
    #expect(throws: TokenKeyFailure.self) { try read(#"{"kty":"RSA","n":"+/\\","e":"AQAB"}"#) }
    #expect(throws: TokenKeyFailure.self) { try read(#"{"kty":"RSA","n":"","e":"AQAB"}"#) }
  }

  /// What seems to be a line break at its end may be a part of it.
  @Test func aKeyInDERMayEndInAnything() {
    let end: [UInt8] = [0xfa, 0x0a, 0x0d]
    let bytes = [0x30, 0x2a] + [UInt8](repeating: 0x80, count: 42 - end.count) + end
    for more in [[], [0x0a]] as [[UInt8]] {
      #expect(throws: TokenKeyFailure.self) { try TokenKey.read(bytes + more) }
    }
  }

  @Test(arguments: ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"])
  func aKeyOfOpenSSHIsNoSecret(_ kind: String) {
    let line = "\(kind) AAAAC3NzaC1lZDI1NTE5AAAAIEnZQpZz247mfMM6fna1doZ0EedWIErP10oSOc72YS2p ada\n"
    let failure = #expect(throws: TokenKeyFailure.self) { try read(line) }
    #expect(failure?.description.contains("PEM") == true)
  }

  /// Which begins like DER, and has the length that it says.
  @Test func aTextIsASecret() throws {
    #expect(try read("0V" + String(repeating: "a", count: 86)).map(\.algorithm) == [.hs256])
    #expect(try read("sk-" + String(repeating: "a", count: 40)).map(\.algorithm) == [.hs256])
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
