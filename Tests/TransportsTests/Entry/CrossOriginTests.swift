import Admission
import NIOCore
import NIOHTTP1
import Testing

@testable import Transports

/// What answers tell pages of other sites.
struct CrossOriginTests {
  private func entry(_ origins: OriginPolicy) throws -> EmbeddedEntry {
    try EmbeddedEntry { routes in
      routes.origins = origins
      routes.add(.GET, "/v1/hello") { _, responder in
        responder.respond(.ok, body: ByteBuffer(string: "hello"))
      }
      routes.add(.GET, "/hello") { _, responder in responder.respond(.ok, body: ByteBuffer(string: "hello")) }
    }
  }

  private func ask(_ entry: EmbeddedEntry, _ line: String, _ headers: String...) throws -> String {
    let fields = headers.map { "\($0)\r\n" }.joined()
    try entry.send("\(line) HTTP/1.1\r\nHost: a.example\r\n\(fields)\r\n")
    return try entry.takeOutput()
  }

  @Test func aForeignPageIsRefusedBeforeAnyRoute() throws {
    let entry = try entry(OriginPolicy())
    for line in [
      "GET /v1/hello", "GET /%761/hello", "GET /v1/nothing", "POST /v1/hello", "OPTIONS /v1/hello",
    ] {
      let answer = try ask(entry, line, "Origin: https://b.example")
      #expect(answer.hasPrefix("HTTP/1.1 403"), "\(line)")
      #expect(!answer.contains("Access-Control"))
    }
    #expect(
      try ask(entry, "GET /v1/hello", "Origin: https://a.example", "Origin: https://b.example").hasPrefix(
        "HTTP/1.1 403"
      )
    )
    // The client and the pages are for everybody.
    #expect(try ask(entry, "GET /hello", "Origin: https://b.example").hasPrefix("HTTP/1.1 200"))
    let own = try ask(entry, "GET /v1/hello", "Origin: https://a.example")
    #expect(own.hasPrefix("HTTP/1.1 200") && !own.contains("Vary") && !own.contains("Access-Control"))
  }

  @Test func anAllowedPageMayRead() throws {
    let pattern = try #require(OriginPolicy.Pattern("https://b.example"))
    let entry = try entry(OriginPolicy(patterns: [pattern]))
    let answer = try ask(entry, "GET /v1/hello", "Origin: https://b.example")
    #expect(answer.contains("Access-Control-Allow-Origin: https://b.example\r\n"))
    #expect(answer.contains("Vary: Origin\r\n"))
    #expect(try ask(entry, "GET /v1/hello").contains("Vary: Origin\r\n"))
    let preflight = try ask(
      entry,
      "OPTIONS /v1/hello",
      "Origin: https://b.example",
      "Access-Control-Request-Method: GET"
    )
    #expect(preflight.hasPrefix("HTTP/1.1 204"))
    #expect(preflight.contains("Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"))
    #expect(preflight.contains("Access-Control-Max-Age: "))
    // An origin cannot say more than an origin.
    let twisted = try ask(entry, "GET /v1/hello", "Origin: https://b.example\tx")
    #expect(twisted.hasPrefix("HTTP/1.1 403") || twisted.hasPrefix("HTTP/1.1 400"))
  }

  @Test func everybodyMayWhereAllMay() throws {
    let entry = try entry(OriginPolicy(allowsAll: true))
    let answer = try ask(entry, "GET /v1/hello", "Origin: null")
    #expect(answer.contains("Access-Control-Allow-Origin: *\r\n") && !answer.contains("Vary"))
  }
}
