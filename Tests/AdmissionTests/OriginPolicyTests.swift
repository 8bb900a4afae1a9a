import Testing

@testable import Admission

@Suite struct OriginPolicyTests {
  private func policy(_ patterns: String...) throws -> OriginPolicy {
    OriginPolicy(patterns: try patterns.map { try #require(OriginPolicy.Pattern($0)) })
  }

  @Test func withoutAListOnlyTheOwnSiteMay() {
    let policy = OriginPolicy()
    #expect(policy.judge(origin: nil, host: "a.example:8080") == .own)
    #expect(policy.judge(origin: "http://a.example:8080", host: "a.example:8080") == .own)
    #expect(policy.judge(origin: "https://A.example", host: "a.EXAMPLE") == .own)
    for foreign in [
      "http://a.example", "http://b.example:8080", "null", "", "http://", "a.example:8080",
      "://a.example:8080x",
    ] {
      #expect(policy.judge(origin: foreign, host: "a.example:8080") == .refused, "\(foreign)")
    }
    #expect(policy.judge(origin: "http://x", host: "") == .refused)
    #expect(!policy.varies)
  }

  @Test func theListIsExact() throws {
    let policy = try policy("https://app.example.com", "http://localhost:3000")
    #expect(policy.varies)
    #expect(policy.judge(origin: "https://app.example.com", host: "x") == .allowed("https://app.example.com"))
    #expect(policy.judge(origin: "http://localhost:3000", host: "x") == .allowed("http://localhost:3000"))
    for foreign in [
      "http://app.example.com", "https://app.example.com:444", "https://app.example.com.evil.org",
      "https://evil-app.example.com", "https://app.example.comx", "http://localhost:30000",
    ] {
      #expect(policy.judge(origin: foreign, host: "x") == .refused, "\(foreign)")
    }
  }

  @Test func aStarStandsForSitesBelow() throws {
    let policy = try policy("https://*.example.com")
    for own in ["https://a.example.com", "https://a.b.example.com", "https://A.Example.com"] {
      #expect(policy.judge(origin: own, host: nil) == .allowed(own))
    }
    for foreign in [
      "https://example.com", "http://a.example.com", "https://aexample.com",
      "https://a.example.com:8443", "https://a.example.com.evil.org", "https://evil.org",
      "https://evil.org/.example.com", "https://evil.org?.example.com", "https://evil.org#.example.com",
      "https://evil.org:1.example.com", "https://evil@a.example.com", "https://.example.com",
    ] {
      #expect(policy.judge(origin: foreign, host: nil) == .refused, "\(foreign)")
    }
  }

  /// An image, a script or a link of another site's page has no origin.
  @Test func pagesWithoutAnOriginTellWhereTheyAreFrom() throws {
    for policy in [OriginPolicy(), try policy("https://app.example.com")] {
      for own in [nil, "same-origin", "none", "unheard-of"] {
        #expect(policy.judge(origin: nil, host: "x", site: own) == .own)
      }
      for foreign in ["cross-site", "same-site"] {
        #expect(policy.judge(origin: nil, host: "x", site: foreign) == .refused)
      }
    }
    #expect(OriginPolicy(allowsAll: true).judge(origin: nil, host: "x", site: "cross-site") == .own)
  }

  @Test func allMeansAll() {
    let policy = OriginPolicy(allowsAll: true)
    #expect(policy.judge(origin: "null", host: nil) == .allowed("*"))
    #expect(!policy.varies)
  }

  @Test(arguments: [
    "example.com", "https://", "https://*", "https://*.", "https://a.example.com/", "https://a example.com",
    "https://a*.example.com", "*.example.com", "https://user@example.com", "https://a.*.com",
  ])
  func whatIsNoOriginIsNone(_ text: String) {
    #expect(OriginPolicy.Pattern(text) == nil)
  }
}
