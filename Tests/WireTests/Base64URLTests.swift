import Testing
import Wire

@Suite struct Base64URLTests {
  @Test func hasOneTextForEachBytes() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
      #expect(Base64URL.decode(Array(Base64URL.encode(bytes).utf8)) == bytes)
    }
    for bad in ["A", "AB=", "AB==", "A+", "A/", "AB", "AAB", " AA", "AA\n"] {
      #expect(Base64URL.decode(Array(bad.utf8)) == nil, "\(bad)")
    }
  }

  /// RFC 4648 section 10, and the two characters that base64 has not.
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
    ("foobar", "Zm9vYmFy"), ("\u{3f}\u{3f}\u{3e}", "Pz8-"), ("\u{3f}\u{3f}\u{3f}", "Pz8_"),
  ])
  func isAsOthersWriteIt(_ text: String, _ encoded: String) {
    #expect(Base64URL.encode(Array(text.utf8)) == encoded)
    #expect(Base64URL.decode(Array(encoded.utf8)) == Array(text.utf8))
  }
}
