import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Transports

/// Connections borrow their parsers: nothing of one request may reach another, and no byte may be lost.
struct RequestParsersTests {
  private let later = HTTPConversationTests.Later()

  private func entry() throws -> EmbeddedEntry {
    try EmbeddedEntry { routes in
      self.later.add(to: &routes)
      routes.add(.GET, "/hello") { request, responder in
        let token = request.headers.first(name: "X-Token") ?? "none"
        responder.respond(.ok, body: ByteBuffer(string: token))
      }
      routes.add(.POST, "/echo", bodyLimit: 100) { request, responder in
        responder.respond(.ok, body: request.body)
      }
    }
  }

  private func get(_ path: String, _ fields: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
  }

  private func ok(_ body: String) -> String {
    "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  @Test func holdsNoParserBetweenRequestsNorWhileOneIsHeld() throws {
    let entry = try self.entry()
    #expect(try !entry.hasParser())
    try entry.send(self.get("/hello"))
    #expect(try !entry.hasParser())
    try entry.send(self.get("/held"))
    #expect(try !entry.hasParser())
    self.later.responders[0].respond(.ok, body: ByteBuffer(string: "held"))
    #expect(try entry.takeOutput() == self.ok("none") + self.ok("held"))
    try entry.send(self.get("/later/0"))
    let stream = try #require(self.later.responders[1].beginStream(headers: [:]))
    #expect(try !entry.hasParser())
    stream.end()
    try entry.send("GET /hel")
    #expect(try entry.hasParser())
    try entry.send("lo HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(try !entry.hasParser())
    #expect(try entry.takeStatuses() == ["200", "200"])
  }

  @Test(arguments: ["/held", "/later/0"]) func servesWhatCameBehindAHeldRequestInEveryCut(_ path: String)
    throws
  {
    let first = self.get(path)
    let bytes = Array((first + self.get("/hello", "X-Token: next\r\n")).utf8)
    for cut in first.utf8.count...bytes.count {
      let entry = try self.entry()
      try entry.send(ByteBuffer(bytes: bytes[..<cut]))
      let responder = try #require(self.later.responders.last)
      let stream = path == "/held" ? nil : responder.beginStream(headers: [:])
      #expect(path == "/held" || stream != nil)
      let rest = bytes[cut...]
      try entry.send(ByteBuffer(bytes: rest.prefix(3)))
      try entry.send(ByteBuffer(bytes: rest.dropFirst(3)))
      #expect(try !entry.takeOutput().contains("next"))
      if let stream { stream.end() } else { responder.respond(.noContent) }
      #expect(try entry.takeOutput().hasSuffix(self.ok("next")))
      // Of a last piece too short to show the empty line the parser cannot be sure.
      if rest.count > 6 { #expect(try !entry.hasParser()) }
    }
  }

  @Test func keepsTwoConnectionsApartInEveryCut() throws {
    let bytes = Array(self.get("/hello", "X-Token: secret\r\n").utf8)
    let post = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    for cut in 0..<bytes.count {
      let one = try self.entry()
      let two = try EmbeddedEntry(beside: one)
      try one.send(ByteBuffer(bytes: bytes[..<cut]))
      try two.send(self.get("/hello"))
      try two.send(post + "bo")
      try one.send(ByteBuffer(bytes: bytes[cut...]))
      try two.send("dy")
      try one.send(self.get("/hello"))
      #expect(try one.takeOutput() == self.ok("secret") + self.ok("none"))
      #expect(try two.takeOutput() == self.ok("none") + self.ok("body"))
    }
  }

  @Test func lendsNoParserThatHasFailedOrIsThrough() throws {
    let endings = [
      "nonsense\r\n\r\n", "GET / HTTP/3.0\r\n\r\n", "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n",
      self.get("/hello", "Connection: close\r\n"),
      self.get("/hello", "Upgrade: h2c\r\nConnection: upgrade\r\n"),
      "GET /hello HTTP/1.0\r\n\r\n", "HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ]
    for ending in endings {
      let one = try self.entry()
      try one.send(self.get("/hello") + ending)
      #expect(try one.takeStatuses().count == 2)
      #expect(!one.channel.isActive)
      let two = try EmbeddedEntry(beside: one)
      try two.send(self.get("/hello"))
      #expect(try two.takeOutput() == self.ok("none"))
    }
  }

  /// A parser takes some trailers for the connection's own fields, so none is lent again, nor the connection used.
  @Test(arguments: ["Connection: close", "Connection: Upgrade\r\nUpgrade: x", "Upgrade: x", "T: x"])
  func lendsNoParserThatHasSeenTrailers(_ trailers: String) throws {
    let chunked = "Transfer-Encoding: chunked\r\n\r\n0\r\n\(trailers)\r\n\r\n"
    for (request, status) in [
      ("GET /x HTTP/1.1\r\nHost: a\r\n", "404"), ("POST /echo HTTP/1.1\r\nHost: a\r\n", "200"),
    ] {
      let bytes = Array((request + chunked + self.get("/hello")).utf8)
      for cut in 0...bytes.count {
        let one = try self.entry()
        try one.send(ByteBuffer(bytes: bytes[..<cut]))
        try one.send(ByteBuffer(bytes: bytes[cut...]))
        let answer = try one.takeOutput()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) ") && answer.contains("\r\nConnection: close\r\n"))
        #expect(answer.ranges(of: "HTTP/1.1 ").count == 1 && !one.channel.isActive)
        let two = try EmbeddedEntry(beside: one)
        try two.send(self.get("/hello"))
        #expect(try two.takeOutput() == self.ok("none"))
      }
    }
  }

  @Test func looksAtNothingBehindTheLastRequest() throws {
    for last in [self.get("/held", "Connection: close\r\n"), "GET /held HTTP/1.0\r\n\r\n"] {
      let entry = try self.entry()
      try entry.send(last)
      #expect(try !entry.hasParser())
      try entry.send(self.get("/hello"))
      self.later.responders.removeLast().respond(.ok)
      #expect(try entry.takeStatuses() == ["200"])
      #expect(!entry.channel.isActive)
    }
  }

  @Test func servesHeadAndEmptyLinesBetweenRequests() throws {
    let entry = try self.entry()
    try entry.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\n")
    try entry.send("\r\n\r\n")
    try entry.send(self.get("/hello"))
    #expect(try entry.takeOutput() == self.ok("none").dropLast(4) + self.ok("none"))
  }

  @Test func tellsWhoEndsInsideARequest() throws {
    for part in [
      "GET", "GET /hello HTTP/1.1\r\nHost", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo",
    ] {
      let entry = try self.entry()
      try entry.send(self.get("/hello"))
      try entry.send(part)
      try entry.end()
      #expect(try entry.takeStatuses() == ["200", "400"])
      #expect(!entry.channel.isActive)
    }
  }

  @Test func closesTheHeldAndTheStreamedWhenTheirClientEnds() throws {
    for begun in ["", "GET /hel", self.get("/hello")] {
      let held = try self.entry()
      try held.send(self.get("/held") + begun)
      try held.end()
      #expect(self.later.gone == 1 && !held.channel.isActive)
      self.later.gone = 0

      let streamed = try self.entry()
      try streamed.send(self.get("/later/0") + begun)
      let stream = try #require(self.later.responders.last?.beginStream(headers: [:]))
      try streamed.end()
      #expect(!stream.isOpen && !streamed.channel.isActive)
      #expect(streamed.loop.connectionCount == 0)
    }
  }

  @Test func givesWhatCameAfterAnUpgradeToItsHandlerInEveryCut() throws {
    let head = "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"
    let bytes = Array((head + "after").utf8)
    for isLate in [false, true] {
      for cut in 0...bytes.count {
        var waiting: Responder?
        let entry = try EmbeddedEntry { routes in
          routes.add(.GET, "/up") { _, responder in
            if isLate { waiting = responder } else { responder.takeOver(headers: [:]) { Taker() } }
          }
        }
        try entry.send(ByteBuffer(bytes: bytes[..<cut]))
        try entry.send(ByteBuffer(bytes: bytes[cut...]))
        waiting?.takeOver(headers: [:]) { Taker() }
        try entry.send("more")
        let taker = try entry.channel.pipeline.syncOperations.handler(type: Taker.self)
        #expect(taker.taken == "aftermore")
        #expect(entry.loop.connectionCount == 0)
        #expect(throws: (any Error).self) {
          try entry.channel.pipeline.syncOperations.handler(type: HTTPConnectionHandler.self)
        }
      }
    }
  }

  /// What is short is read into a small buffer that stays; what is longer, or comes while a part of it is in use,
  /// into a large one that does not.
  @Test func keepsASmallReceiveBuffer() throws {
    var pool = NIOPooledRecvBufferAllocator(
      capacity: 1,
      recvAllocator: PassingReceiveAllocator(capacity: 1024)
    )
    func read(_ count: Int) -> (capacity: Int, isKept: Bool) {
      var (buffer, _) = pool.buffer(allocator: ByteBufferAllocator()) {
        $0.writeRepeatingByte(1, count: min(count, $0.writableBytes))
      }
      pool.record(actualReadBytes: buffer.readableBytes)
      #expect(buffer.readableBytes == min(count, buffer.capacity))
      let isOurs: Void? = buffer.modifyIfUniquelyOwned { _ in }
      return (buffer.capacity, isOurs == nil)
    }
    #expect(read(100) == (512, true))
    #expect(read(511) == (512, true))
    #expect(read(2_000) == (512, true))
    #expect(read(2_000) == (1024, false))
    #expect(read(600) == (1024, false))
    #expect(read(20) == (1024, false))
    #expect(read(20) == (512, true))
    let (inUse, _) = pool.buffer(allocator: ByteBufferAllocator()) { $0.writeString("used") }
    pool.record(actualReadBytes: 4)
    #expect(read(20) == (1024, false))
    #expect(String(buffer: inUse) == "used")
  }
}

private final class Taker: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  var taken = ""

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.taken += String(buffer: Self.unwrapInboundIn(data))
  }
}
