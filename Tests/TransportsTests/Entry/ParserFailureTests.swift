import NIOCore
import NIOEmbedded
import Testing

@testable import Transports

/// What is said to who sends something that is no request of HTTP/1.
struct ParserFailureTests {
  private func statuses(_ pieces: [String]) throws -> [String] {
    let entry = try EmbeddedEntry()
    for piece in pieces { try entry.send(piece) }
    #expect(!entry.channel.isActive)
    return try entry.takeStatuses()
  }

  /// Only a request in another version of HTTP is told of versions.
  @Test(arguments: [
    ("GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", "505"), ("GET /hello HTTP/3.0\r\nHost: a\r\n\r\n", "505"),
    ("GET /hello HTTP/9.9\r\n\r\n", "505"), ("GET /hello HTTP/1.2\r\n\r\n", "505"),
    ("GET /hello HTTP/0.9\r\n\r\n", "400"), ("GET /hello\r\n\r\n", "400"),
    ("GET /hello HTTP/1.1\nHost: a\n\n", "400"), ("GET /hello HTTP/3.0\nHost: a\n\n", "400"),
    ("GET /hello HTTP/1\r\n\r\n", "400"), ("GET /hello HTTP/1.1.1\r\nHost: a\r\n\r\n", "400"),
    ("GET /hello HTTP/11.1\r\nHost: a\r\n\r\n", "400"), ("GET /hello http/2.0\r\n\r\n", "400"),
    ("GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n", "400"), ("GET HTTP/2.0\r\n\r\n", "400"),
    ("GET /hello HTTPS/2.0\r\n\r\n", "400"),
  ])
  func whatIsNotHTTPIsABadRequest(_ request: String, _ status: String) throws {
    #expect(try self.statuses([request]) == [status])
    #expect(try self.statuses([HTTPConnectionTests.hello + request]) == ["200", status])
    #expect(try self.statuses(["\r\n", request]) == [status])
  }

  @Test func anotherVersionIsKnownInEveryCut() throws {
    let bytes = Array("GET /hello HTTP/2.0\r\nHost: a\r\nX: HTTP/1.1\r\n\r\n".utf8)
    for cut in 0...bytes.count {
      let pieces = [bytes[..<cut], bytes[cut...]].map { String(decoding: $0, as: UTF8.self) }
      #expect(try self.statuses(pieces) == ["505"])
    }
  }

  /// Over the parser's limit for one field as over the one for targets, and whether or not its end has come.
  @Test(arguments: [8_193, 16_000, 17_000, 70_000])
  func aTargetThatIsTooLongIsToldSo(_ length: Int) throws {
    let target = "/" + String(repeating: "a", count: length)
    for line in ["GET \(target)", "GET http://a\(target)"] {
      let request = "\(line) HTTP/1.1\r\nHost: a\r\n\r\n"
      #expect(try self.statuses([request]) == ["414"])
      #expect(try self.statuses([HTTPConnectionTests.hello + request]) == ["200", "414"])
      #expect(try self.statuses(["\r\nGET ", String(request.dropFirst(4))]) == ["414"])
      #expect(try self.statuses([String(request.prefix(100)), String(request.dropFirst(100))]) == ["414"])
      if length > 16_384 { #expect(try self.statuses([line]) == ["414"]) }
    }
  }

  @Test func aFieldThatIsTooLongIsNoTarget() throws {
    let value = String(repeating: "a/", count: 9_000)
    for head in ["GET /hello HTTP/1.1\r\n", "GET /\(String(repeating: "a", count: 8_000)) HTTP/1.1\r\n"] {
      for field in ["X: \(value)", "X:\(value)", "\(String(repeating: "x", count: 17_000)): y"] {
        #expect(try self.statuses(["\(head)\(field)\r\n\r\n"]) == ["431"])
        #expect(try self.statuses([head, "\(field)\r\n\r\n"]) == ["431"])
      }
    }
  }

  /// RFC 9110 section 9.1.
  @Test(arguments: ["FOO", "GETX", "get", "X-1", "PURGED"])
  func aMethodThatIsUnknownIsNotImplemented(_ method: String) throws {
    let request = "\(method) /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    #expect(try self.statuses([request]) == ["501"])
    #expect(try self.statuses([HTTPConnectionTests.hello + request]) == ["200", "501"])
  }

  @Test(arguments: [
    "FOO\r\n\r\n", "FOO /hello\r\n\r\n", "FO(O /hello HTTP/1.1\r\n\r\n", "FOO  HTTP/1.1\r\n\r\n",
    "FOO /hello HTTP/2.0\r\n\r\n", "FOO /hello HTTP/1.1\n\n", "FOO /hel lo HTTP/1.1\r\n\r\n",
    " GET /hello HTTP/1.1\r\n\r\n", "\u{e9} /hello HTTP/1.1\r\n\r\n",
  ])
  func whatHasNoMethodIsABadRequest(_ request: String) throws {
    #expect(try self.statuses([request]) == ["400"])
  }
}
