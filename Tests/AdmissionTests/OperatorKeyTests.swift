import Testing

@testable import Admission

@Suite struct OperatorKeyTests {
  @Test func aKeyMatchesItselfAlone() {
    let key = OperatorKey("0123456789abcdef")
    #expect(key.matches("0123456789abcdef"))
    for other in ["", "0", "0123456789abcdeF", "0123456789abcdef0", "0123456789abcde"] {
      #expect(!key.matches(other))
    }
  }

  @Test func aFileHasSeveral() throws {
    let keys = try #require(
      OperatorKey.read(
        """
        # who may do what
        read 0123456789abcdef  dashboard
        act\tfedcba9876543210

        bare-key-of-more-than-16
        """
      )
    )
    #expect(keys.map(\.role) == [.read, .act, .act])
    #expect(keys[0].name == "dashboard")
    #expect(keys[1].name.hasPrefix("key ") && keys[1].name != keys[2].name)
    #expect(keys[2].matches("bare-key-of-more-than-16"))
    // The log shows who, not what with.
    #expect(!keys[1].name.contains("fedcba"))
  }

  @Test(arguments: [
    "", "# none", "short", "write 0123456789abcdef", "read 0123456789abcdef a b", "act 0123456789abcdéf",
    "0123456789abcdef\n0123456789abcdef",
  ])
  func whatIsNoFileOfKeysIsNone(_ text: String) {
    #expect(OperatorKey.read(text) == nil)
  }
}
