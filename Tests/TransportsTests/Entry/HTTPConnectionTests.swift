import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSockets
import Testing
import Wire

@testable import Transports

struct HTTPConnectionTests {
  /// Whoever counts answers hears of those too that nobody waited for.
  @Test func anAnswerThatNobodyWaitedForIsToldOnce() throws {
    var told: [HTTPResponseStatus?] = []
    var responders: [Responder] = []
    let entry = try EmbeddedEntry { routes in
      routes.add(.GET, "/later") { _, responder in
        responder.onAnswer = { told.append($0) }
        responders.append(responder)
      }
    }
    let request = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
    try entry.send(request)
    responders[0].respond(.ok)
    responders[0].respond(.ok)
    #expect(told == [.ok])
    try entry.send(request)
    _ = try entry.channel.finish(acceptAlreadyClosed: true)
    #expect(told == [.ok, nil])
    responders[1].respond(.ok)
    #expect(told.count == 2)
    responders = []
  }

  static let hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
  static let helloAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"

  @Test func answersAndStaysOpen() throws {
    let entry = try EmbeddedEntry()
    for _ in 0..<3 {
      try entry.send(Self.hello)
      #expect(try entry.takeOutput() == Self.helloAnswer)
    }
    #expect(entry.channel.isActive)
    #expect(entry.loop.connectionCount == 1)
  }

  @Test func readsABodyInEveryCut() throws {
    let length = "POST /echo/a%20b HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody"
    let chunked =
      "POST /echo/a%20b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n"
    for request in [length, chunked] {
      let bytes = Array(request.utf8)
      for cut in 0...bytes.count {
        let entry = try EmbeddedEntry()
        try entry.send(ByteBuffer(bytes: bytes[..<cut]))
        try entry.send(ByteBuffer(bytes: bytes[cut...]))
        #expect(try entry.takeOutput() == "HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\na b:body")
      }
    }
  }

  /// An answer may find that the client is gone, while more of its requests are in the socket: it alone ends.
  @Test(arguments: [
    "", HTTPConnectionTests.hello, "GET /he", "no HTTP\r\n\r\n",
    "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo",
  ])
  func whoIsGoneBeforeItsAnswerEndsAlone(_ left: String) throws {
    for requests in 1...3 {
      for rest in ["", "GET /hel", "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo"] {
        let entry = try EmbeddedEntry()
        let neighbour = try EmbeddedEntry(beside: entry)
        let socket = BrokenSocket(left: ByteBuffer(string: left))
        try entry.channel.pipeline.syncOperations.addHandler(socket, position: .first)
        try entry.send(String(repeating: Self.hello, count: requests) + rest)
        #expect(try entry.takeOutput() == "")
        #expect(!entry.channel.isActive && entry.loop.connectionCount == 1)
        try neighbour.send(Self.hello)
        #expect(try neighbour.takeOutput() == Self.helloAnswer)
      }
    }
  }

  @Test func followsTheKeepAliveRules() throws {
    let closing = try EmbeddedEntry()
    try closing.send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + Self.hello)
    #expect(try closing.takeOutput().contains("Connection: close\r\n"))
    #expect(!closing.channel.isActive)

    let old = try EmbeddedEntry()
    try old.send("GET /hello HTTP/1.0\r\n\r\n")
    #expect(try old.takeOutput().hasPrefix("HTTP/1.0 200 OK\r\n"))
    #expect(!old.channel.isActive)

    let oldButAlive = try EmbeddedEntry()
    try oldButAlive.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    #expect(try oldButAlive.takeOutput().contains("Connection: keep-alive\r\n"))
    #expect(oldButAlive.channel.isActive)
  }

  @Test func answersHeadWithoutABody() throws {
    let entry = try EmbeddedEntry()
    try entry.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + Self.hello)
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
    #expect(try entry.takeOutput() == head + Self.helloAnswer)
  }

  @Test func answersOptions() throws {
    let entry = try EmbeddedEntry()
    try entry.send("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
    let output = try entry.takeOutput()
    #expect(output.contains("HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, OPTIONS\r\n\r\n"))
    #expect(output.contains("HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, POST, OPTIONS\r\n\r\n"))
  }

  @Test func asksForTheBodyThatWaits() throws {
    let entry = try EmbeddedEntry()
    try entry.send("POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n")
    #expect(try entry.takeOutput() == "HTTP/1.1 100 Continue\r\n\r\n")
    try entry.send("body")
    #expect(try entry.takeOutput() == "HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\na:body")
    try entry.send("POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n")
    #expect(try entry.takeStatuses() == ["413"])
  }

  /// Not a byte of a body is waited for, or asked for, from who may not send it.
  @Test func whoMayNotAskIsRefusedAtTheHead() throws {
    var bodies: [String] = []
    let entry = try EmbeddedEntry { routes in
      let admits: RouteTable.Guard = { request in
        request.bearerToken == "key" && request.parameters["name"] == "a"
          ? nil : ClientError(.unauthorized, "a key, please")
      }
      routes.add(.POST, "/secret/{name}", bodyLimit: 100, admits: admits) { request, responder in
        bodies.append(String(buffer: request.body))
        responder.respond(.ok)
      }
    }
    let head = "POST /secret/a HTTP/1.1\r\nHost: a\r\n"
    try entry.send("\(head)Authorization: Bearer key\r\nContent-Length: 2\r\n\r\nhi")
    try entry.send("\(head)Content-Length: 0\r\n\r\n")
    #expect(try entry.takeStatuses() == ["200", "401"])
    #expect(entry.channel.isActive)
    let body = String(repeating: "a", count: 100)
    for rest in [
      "Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
      "Content-Length: 100\r\n\r\n\(body)\(Self.hello)",
      "Transfer-Encoding: chunked\r\n\r\n64\r\n\(body)\r\n0\r\n\r\n\(Self.hello)",
    ] {
      let other = try EmbeddedEntry(beside: entry)
      try other.send(head + rest)
      #expect(try other.takeStatuses() == ["401"])
      #expect(!other.channel.isActive)
    }
    #expect(bodies == ["hi"])
  }

  @Test(arguments: [
    "", "a", "a:80", "a:", "A-b_c.d~e:8080", "127.0.0.1:8080", "[::1]", "[2001:db8::1.2.3.4]:9", "a%20b",
    "!$&'()*+;=", "a ",
  ])
  func aHostIsANameOrAnAddress(_ host: String) throws {
    let entry = try EmbeddedEntry()
    try entry.send("GET /hello HTTP/1.1\r\nHost: \(host)\r\n\r\n")
    #expect(try entry.takeStatuses() == ["200"])
  }

  @Test(arguments: [
    "a b", "a/b", "a, b", "a,b", "a@b", "a?b", "a#b", "a:b", "a:80:80", "[::1", "::1", "[]", "[::1]a",
    "[a b]",
    "a\\b", "<a>", "\"a\"", "a\u{fc}",
  ])
  func whatIsNoHostIsRefused(_ host: String) throws {
    for version in ["1.1", "1.0"] {
      let entry = try EmbeddedEntry()
      try entry.send("GET /hello HTTP/\(version)\r\nHost: \(host)\r\n\r\n")
      #expect(try entry.takeStatuses() == ["400"])
      #expect(!entry.channel.isActive)
    }
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let request: String
    let status: String
    let code: String
    var keepsAlive = false
    var testDescription: String { String(self.request.prefix(60)) }
  }

  static let refusals: [Refusal] = [
    Refusal(
      request: "GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
      status: "404",
      code: "not_found",
      keepsAlive: true
    ),
    Refusal(
      request: "PUT /hello HTTP/1.1\r\nHost: a\r\n\r\n",
      status: "405",
      code: "method_not_allowed",
      keepsAlive: true
    ),
    Refusal(
      request: "GET /hello?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n",
      status: "400",
      code: "bad_request",
      keepsAlive: true
    ),
    Refusal(
      request: "GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n",
      status: "400",
      code: "bad_request",
      keepsAlive: true
    ),
    Refusal(
      request: "PUT /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
      status: "405",
      code: "method_not_allowed"
    ),
    Refusal(request: "GET /hello HTTP/1.1\r\n\r\n", status: "400", code: "bad_request"),
    Refusal(request: "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", status: "400", code: "bad_request"),
    Refusal(
      request:
        "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      status: "400",
      code: "bad_request"
    ),
    Refusal(
      request: "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      status: "400",
      code: "bad_request"
    ),
    Refusal(
      request: "POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n",
      status: "413",
      code: "too_large"
    ),
    Refusal(
      request: "POST /echo/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
        + String(repeating: "x", count: 101),
      status: "413",
      code: "too_large"
    ),
    Refusal(
      request: "GET /hello HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n",
      status: "417",
      code: "bad_request"
    ),
    Refusal(
      request: "GET /" + String(repeating: "a", count: 8192) + " HTTP/1.1\r\nHost: a\r\n\r\n",
      status: "414",
      code: "too_large"
    ),
    Refusal(
      request: "GET /hello HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "a", count: 17_000) + "\r\n\r\n",
      status: "431",
      code: "too_large"
    ),
    Refusal(
      request: "GET /hello HTTP/1.1\r\nHost: a\r\n" + (0..<200).map { "X\($0): y\r\n" }.joined() + "\r\n",
      status: "431",
      code: "too_large"
    ),
    Refusal(request: "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", status: "405", code: "method_not_allowed"),
    Refusal(
      request: "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\u{fc}\u{3}\u{3}garbage",
      status: "400",
      code: "bad_request"
    ),
    Refusal(request: "hello, are you there?\r\n\r\n", status: "400", code: "bad_request"),
    Refusal(request: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: "400", code: "bad_request"),
    Refusal(request: "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", status: "400", code: "bad_request"),
    Refusal(request: "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", status: "505", code: "bad_request"),
    Refusal(request: "GET /hello HTTP/1.2\r\nHost: a\r\n\r\n", status: "505", code: "bad_request"),
    Refusal(
      request: "POST /echo/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      status: "501",
      code: "bad_request"
    ),
  ]

  @Test(arguments: refusals)
  func refuses(_ refusal: Refusal) throws {
    let entry = try EmbeddedEntry()
    try entry.send(refusal.request)
    let output = try entry.takeOutput()
    #expect(output.hasPrefix("HTTP/1.1 \(refusal.status) "))
    #expect(output.contains("Content-Type: application/problem+json\r\n"))
    #expect(output.contains(#""status":\#(refusal.status),"#))
    #expect(output.contains(#""code":"\#(refusal.code)""#))
    #expect(output.split(separator: "HTTP/1.1 ").count == 1)
    #expect(entry.channel.isActive == refusal.keepsAlive)
    guard refusal.keepsAlive else {
      #expect(output.contains("Connection: close\r\n"))
      return
    }
    try entry.send(Self.hello)
    #expect(try entry.takeOutput() == Self.helloAnswer)
  }

  @Test func saysWhenARetryMakesSense() throws {
    let entry = try EmbeddedEntry { routes in
      routes.add(.GET, "/down") { _, responder in responder.respond(Problem(.unavailable, "Redis is away")) }
      routes.add(.GET, "/secret") { _, responder in
        responder.respond(Problem(.unauthorized, "a token, please"))
      }
    }
    try entry.send("GET /down HTTP/1.1\r\nHost: a\r\n\r\n")
    let down = try entry.takeOutput()
    #expect(down.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n") && down.contains("Retry-After: 1\r\n"))
    #expect(
      down.hasSuffix(
        #"{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"Redis is away","#
          + #""code":"unavailable","retry_after_ms":1000}"# + "\n"
      )
    )
    try entry.send("GET /secret HTTP/1.1\r\nHost: a\r\n\r\n")
    let secret = try entry.takeOutput()
    #expect(secret.contains("WWW-Authenticate: Bearer\r\n") && !secret.contains("Retry-After"))
  }

  @Test func servesTheRestOfAHalfClosedConnection() throws {
    let entry = try EmbeddedEntry()
    try entry.send(Self.hello + Self.hello)
    try entry.end()
    #expect(try entry.takeOutput() == Self.helloAnswer + Self.helloAnswer)
    #expect(!entry.channel.isActive)
  }
}
