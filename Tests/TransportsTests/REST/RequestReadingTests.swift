import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import Transports

/// What requests say, and how they are told what is wrong with it.
struct RequestReadingTests {
  private func request(_ query: Substring, headers: HTTPHeaders = [:]) throws -> HTTPRequest {
    HTTPRequest(
      method: .GET,
      version: .http1_1,
      headers: headers,
      path: "/",
      parameters: PathParameters(),
      query: try #require(QueryParameters(query)),
      body: ByteBuffer(),
      peer: nil
    )
  }

  @Test func readsWhatIsThere() throws {
    let request = try request("limit=7&since=start&after=AbCdEfGh_-012345&presence=watch&unknown=1&unknown=2")
    #expect(try request.limit == 7)
    #expect(try request.historyRange == .since(.start))
    #expect(try request.after == "AbCdEfGh_-012345")
    #expect(try request.presenceWish == .watch)
    let empty = try self.request("")
    #expect(try empty.limit == nil)
    #expect(try empty.historyRange == .newest)
    #expect(try empty.after == nil)
    #expect(try empty.presenceWish == nil)
    #expect(try empty.idempotencyKey == nil)
  }

  @Test(arguments: [
    "limit=", "limit=0", "limit=1001", "limit=+5", "limit=-1", "limit=1.5", "limit=1e2",
    "limit=99999999999999999999",
    "limit=5&limit=5", "since=start&since=start", "before=abcdefgh.1&before=abcdefgh.1", "since=",
    "since=START",
    "since=abcdefgh.01", "before=start", "before=", "since=start&before=abcdefgh.1", "after=", "after=short",
    "after=AbCdEfGh_-01234%2F", "after=a&after=a", "presence=", "presence=Join",
    "presence=join&presence=join",
    "channels=", "channels=a&channels=b", "channels=a,,b", "channels=a/b", "channels=a,b,c,d",
  ])
  func saysWhichIsWrong(_ query: String) throws {
    let request = try request(Substring(query))
    let failures: [any Error] = [
      { _ = try request.limit }, { _ = try request.historyRange }, { _ = try request.after },
      { _ = try request.presenceWish },
      { if query.contains("channels") { _ = try request.channels(atMost: 3) } },
    ].compactMap { (read: () throws -> Void) -> (any Error)? in
      do {
        try read()
        return nil
      } catch {
        return error
      }
    }
    #expect(failures.count == 1)
    let error = try #require(failures.first as? ClientError)
    #expect(error.code.rule.httpStatus == 400)
    #expect(error.message.contains(query.prefix { $0 != "=" }), "\(error.message)")
  }

  /// Two names that look the same are not the same.
  @Test func namesAreBytes() throws {
    let query = try #require(QueryParameters("e%CC%81=1&%C3%A9=2&a=3&%C3%A9=4&=5"))
    #expect(query["\u{e9}"] == "2")
    #expect(query.all("\u{e9}") == ["2", "4"])
    #expect(query["e\u{301}"] == "1")
    #expect(query["a"] == "3")
    #expect(query[""] == "5")
    #expect(query["e"] == nil)
  }

  @Test func aKeyIsOneAndNotTooLong() throws {
    let longest = String(repeating: "k", count: 256)
    #expect(try request("", headers: ["Idempotency-Key": longest]).idempotencyKey == longest)
    let wrong: [HTTPHeaders] = [
      ["Idempotency-Key": ""], ["Idempotency-Key": longest + "k"],
      ["Idempotency-Key": "a", "idempotency-key": "a"],
    ]
    for headers in wrong {
      #expect(throws: ClientError.self) { try request("", headers: headers).idempotencyKey }
    }
  }

  @Test(arguments: [
    "application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"",
    "application/ld+json", "text/json", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded",
    "application/json; a=b ; charset=us-ascii",
  ])
  func takesForJSON(_ type: String) throws {
    #expect(try request("", headers: ["Content-Type": type]).contentProblem == nil)
  }

  @Test(arguments: [
    "application/json; charset=utf-16", "text/html", "multipart/form-data; boundary=x",
    "application/octet-stream", "",
    "json", "application/", "/json", "application/xml", "application/json, text/html",
    "application/json; charset=utf-8; charset=utf-8",
  ])
  func refusesOtherTypes(_ type: String) throws {
    let problem = try #require(try request("", headers: ["Content-Type": type]).contentProblem)
    #expect(problem.status == .unsupportedMediaType)
    #expect(problem.error.code == .badRequest)
    #expect(problem.allHeaders.first(name: "Accept") == "application/json")
  }

  @Test func takesNoCodingsAndNeedsNoType() throws {
    #expect(try request("").contentProblem == nil)
    #expect(try request("", headers: ["Content-Encoding": "identity"]).contentProblem == nil)
    let problem = try #require(try request("", headers: ["Content-Encoding": "gzip"]).contentProblem)
    #expect(problem.status == .unsupportedMediaType)
    #expect(problem.allHeaders.first(name: "Accept-Encoding") == "identity")
  }
}
