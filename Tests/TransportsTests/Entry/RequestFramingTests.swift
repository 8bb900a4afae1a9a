import NIOCore
import NIOEmbedded
import NIOHTTP1
import Telemetry
import Testing

@testable import Transports

/// Where a body ends, and what may be sent for it.
struct RequestFramingTests {
  private static let post = "POST /echo/a HTTP/1.1\r\nHost: a\r\n"
  private static let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
  private static let hello = HTTPConnectionTests.hello

  /// Whose transfer coding is not plainly `chunked` is refused, and what follows is never taken for a request.
  @Test(arguments: [
    ("Transfer-Encoding:", "501"), ("Transfer-Encoding: ", "501"), ("Transfer-Encoding: ,", "501"),
    ("Transfer-Encoding: ,chunked", "501"), ("Transfer-Encoding: chunked,", "501"),
    ("Transfer-Encoding:\r\nTransfer-Encoding: chunked", "501"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding:", "501"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "501"),
    ("Content-Length: 0\r\nTransfer-Encoding:", "400"), ("Transfer-Encoding:\r\nContent-Length: 0", "400"),
  ])
  func onlyChunkedIsATransferCoding(_ fields: String, _ status: String) throws {
    for body in ["", "0\r\n\r\n"] {
      let entry = try EmbeddedEntry()
      try entry.send("\(Self.post)\(fields)\r\n\r\n\(body)\(Self.hello)")
      // Some of these the parser refuses by itself.
      let statuses = try entry.takeStatuses()
      #expect(statuses == [status] || statuses == ["400"])
      #expect(!entry.channel.isActive)
    }
  }

  @Test(arguments: ["chunked", "Chunked", "CHUNKED ", "\tchunked"])
  func chunkedIsSoInAnyCase(_ coding: String) throws {
    let entry = try EmbeddedEntry()
    try entry.send("\(Self.post)Transfer-Encoding: \(coding)\r\n\r\n4\r\nbody\r\n0\r\n\r\n\(Self.hello)")
    #expect(try entry.takeStatuses() == ["201", "200"])
  }

  private func limits() -> HTTPLimits {
    var limits = HTTPLimits()
    limits.headLength = 1_000
    return limits
  }

  /// Chunk extensions and the like are no body, and yet are read.
  @Test func aBodyIsNotSentInFarMoreBytesThanItMayHave() throws {
    let entry = try EmbeddedEntry(limits: limits())
    try entry.send(Self.chunked + "1;")
    let extra = String(repeating: "a", count: 100)
    for _ in 0..<18 { try entry.send(extra) }
    #expect(try entry.takeOutput() == "")
    try entry.send(extra)
    #expect(try entry.takeStatuses() == ["413"])
    #expect(!entry.channel.isActive)
    #expect(entry.loop.refused.bodySize.value == 1)
  }

  @Test func aBodyMayComeInTheSmallestChunks() throws {
    let entry = try EmbeddedEntry(limits: limits())
    for _ in 0..<3 {
      try entry.send(Self.chunked)
      for _ in 0..<100 { try entry.send("1;x=\"y\"\r\nb\r\n") }
      try entry.send("0\r\n\r\n")
      #expect(try entry.takeStatuses() == ["201"])
    }
  }

  /// What came behind a body in the same read is not of it.
  @Test func requestsBehindABodyAreNotCountedToIt() throws {
    let entry = try EmbeddedEntry(limits: limits())
    let many = String(repeating: Self.hello, count: 100)
    try entry.send(Self.chunked + "1\r\n")
    try entry.send("b\r\n0\r\n\r\n" + many + Self.chunked + "1\r\n")
    try entry.send("b\r\n0\r\n\r\n" + many)
    let statuses = try entry.takeStatuses()
    #expect(statuses.filter { $0 == "201" }.count == 2 && statuses.filter { $0 == "200" }.count == 200)
    #expect(entry.channel.isActive)
  }

  /// Behind a request that is held the parser goes on, and nobody has judged that body's request yet.
  @Test func theBodyOfARequestThatWaitsIsLimitedToo() throws {
    let later = HTTPConversationTests.Later()
    let entry = try EmbeddedEntry(limits: limits()) { routes in
      later.add(to: &routes)
      routes.add(.POST, "/echo/{name}", bodyLimit: 100) { $1.respond(.ok) }
    }
    try entry.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n" + Self.chunked + "1;")
    for _ in 0..<100 { try entry.send(String(repeating: "a", count: 100)) }
    #expect(try entry.hasParser() == false)
    #expect(try entry.takeOutput() == "")
    later.responders[0].respond(.ok)
    #expect(try entry.takeStatuses() == ["200", "413"])
    #expect(!entry.channel.isActive)
  }
}
