import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Transports

/// Answers that come later, streams, time and take-overs.
struct HTTPConversationTests {
  static let hello = HTTPConnectionTests.hello

  /// A connection whose `/later` is answered by the test.
  final class Later {
    var responders: [Responder] = []
    var gone = 0
    var requests: [HTTPRequest] = []

    func add(to routes: inout RouteTable) {
      routes.add(.GET, "/later/{n}") { request, responder in
        self.requests.append(request)
        self.responders.append(responder)
      }
      routes.add(.GET, "/held") { _, responder in
        responder.onGone = { self.gone += 1 }
        self.responders.append(responder)
      }
    }
  }

  private func later(limits: HTTPLimits = HTTPLimits()) throws -> (EmbeddedEntry, Later) {
    let later = Later()
    return (try EmbeddedEntry(limits: limits) { later.add(to: &$0) }, later)
  }

  private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }

  @Test func answersPipelinedRequestsInOrderOneAtATime() throws {
    let (entry, later) = try self.later()
    try entry.send((0..<5).map { self.get("/later/\($0)?q=\($0)") }.joined())
    for index in 0..<5 {
      #expect(later.requests.map { $0.parameters["n"] } == (0...index).map { "\($0)" })
      #expect(try entry.takeOutput() == "")
      later.responders[index].respond(.ok, body: ByteBuffer(string: "\(index)"))
      later.responders[index].respond(.ok, body: ByteBuffer(string: "again"))
      #expect(try entry.takeOutput() == "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n\(index)")
      #expect(!later.responders[index].isOpen)
    }
  }

  @Test func pausesReadingWhileTooMuchWaits() throws {
    var limits = HTTPLimits()
    limits.waitingParts = 4
    let (entry, later) = try self.later(limits: limits)
    let counter = ReadCounter()
    try entry.channel.pipeline.syncOperations.addHandler(counter, position: .first)
    try entry.send(self.get("/later/0"))
    entry.channel.read()
    #expect(counter.reads == 1)
    try entry.send((1..<6).map { self.get("/later/\($0)") }.joined())
    entry.channel.read()
    #expect(counter.reads == 1)
    for index in 0..<6 {
      #expect(counter.reads == (index <= 2 ? 1 : 2))
      later.responders[index].respond(.noContent)
    }
    #expect(counter.reads == 2)
  }

  @Test func answersWhatCameBeforeGarbage() throws {
    let (entry, later) = try self.later()
    try entry.send(self.get("/later/0") + "garbage garbage garbage\r\n\r\n")
    #expect(try entry.takeOutput() == "")
    later.responders[0].respond(.noContent)
    #expect(try entry.takeStatuses() == ["204", "400"])
    #expect(!entry.channel.isActive)
  }

  @Test func tellsHoldersThatTheClientWent() throws {
    let (lost, first) = try self.later()
    try lost.send(self.get("/held"))
    lost.channel.pipeline.fireChannelInactive()
    #expect(first.gone == 1)
    #expect(!first.responders[0].isOpen)
    first.responders[0].respond(.ok)

    let (halfClosed, second) = try self.later()
    try halfClosed.send(self.get("/held"))
    try halfClosed.end()
    #expect(second.gone == 1)
    #expect(!halfClosed.channel.isActive)
    #expect(try halfClosed.takeOutput() == "")

    let (waiting, third) = try self.later()
    try waiting.send(self.get("/later/0"))
    try waiting.end()
    #expect(waiting.channel.isActive)
    third.responders[0].respond(.noContent)
    #expect(try waiting.takeStatuses() == ["204"])
    #expect(!waiting.channel.isActive)
  }

  @Test func closesSilentAndSlowClients() throws {
    let silent = try EmbeddedEntry()
    try silent.advance(.seconds(9))
    #expect(silent.channel.isActive)
    try silent.advance(.milliseconds(1300))
    #expect(!silent.channel.isActive)
    #expect(try silent.takeOutput() == "")

    let half = try EmbeddedEntry()
    try half.send("GET /hello HTTP/1.1\r\nHo")
    try half.advance(.seconds(5))
    try half.send("st: a")
    try half.advance(.milliseconds(5300))
    #expect(try half.takeStatuses() == ["408"])
    #expect(!half.channel.isActive)

    let body = try EmbeddedEntry()
    try body.send("POST /echo/a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo")
    try body.advance(.seconds(29))
    #expect(body.channel.isActive)
    try body.advance(.milliseconds(1300))
    #expect(try body.takeStatuses() == ["408"])

    let idle = try EmbeddedEntry()
    try idle.send(Self.hello)
    try idle.advance(.seconds(74))
    #expect(idle.channel.isActive)
    try idle.send(Self.hello)
    try idle.advance(.seconds(74))
    #expect(try idle.takeStatuses() == ["200", "200"])
    try idle.send("GET ")
    try idle.advance(.milliseconds(10300))
    #expect(try idle.takeStatuses() == ["408"])

    let (working, later) = try self.later()
    try working.send(self.get("/later/0"))
    try working.advance(.hours(1))
    #expect(working.channel.isActive)
    later.responders[0].respond(.noContent)
    #expect(try working.takeStatuses() == ["204"])
    try working.advance(.milliseconds(75_300))
    #expect(!working.channel.isActive)
    #expect(working.loop.wheel.count == 0 && working.loop.connectionCount == 0)
  }

  @Test func streamsInChunksAndGoesOn() throws {
    let (entry, later) = try self.later()
    try entry.send(self.get("/later/0") + self.get("/later/1"))
    let stream = try #require(later.responders[0].beginStream(headers: ["Content-Type": "text/event-stream"]))
    #expect(stream.isChunked && stream.isWritable)
    stream.write(ByteBuffer(string: "data: 1\n\n"))
    stream.flush()
    #expect(
      try entry.takeOutput()
        == "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + "00000009\r\ndata: 1\n\n\r\n"
    )
    #expect(later.requests.count == 1)
    stream.end()
    stream.write(ByteBuffer(string: "late"))
    stream.flush()
    #expect(try entry.takeOutput() == "0\r\n\r\n")
    #expect(later.requests.count == 2)
  }

  @Test func streamsToTheEndOfAnOldConnection() throws {
    let (entry, later) = try self.later()
    try entry.send("GET /later/0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    let stream = try #require(later.responders[0].beginStream(headers: [:]))
    stream.write(ByteBuffer(string: "data: 1\n\n"))
    stream.flush()
    #expect(try entry.takeOutput() == "HTTP/1.0 200 OK\r\nConnection: close\r\n\r\ndata: 1\n\n")
    stream.end()
    #expect(!entry.channel.isActive)
  }

  @Test func streamsNothingForHead() throws {
    let (entry, later) = try self.later()
    try entry.send("HEAD /later/0 HTTP/1.1\r\nHost: a\r\n\r\n")
    #expect(later.responders[0].beginStream(headers: [:]) == nil)
    #expect(try entry.takeOutput() == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    #expect(entry.channel.isActive)
  }

  @Test func tellsAStreamOfItsClient() throws {
    let (entry, later) = try self.later()
    try entry.send(self.get("/later/0"))
    let stream = try #require(later.responders[0].beginStream(headers: [:]))
    var writable: [Bool] = []
    var gone = 0
    stream.onWritabilityChanged = { writable.append($0) }
    stream.onGone = { gone += 1 }
    entry.channel.isWritable = false
    entry.channel.pipeline.fireChannelWritabilityChanged()
    #expect(!stream.isWritable)
    entry.channel.isWritable = true
    entry.channel.pipeline.fireChannelWritabilityChanged()
    try entry.end()
    #expect(writable == [false, true])
    #expect(gone == 1)
    #expect(!stream.isOpen && !stream.isWritable)
  }

  @Test func saysWhoAsksAndWithWhichToken() throws {
    let (entry, later) = try self.later()
    for fields in [
      "X-Forwarded-For: 10.0.0.1, 192.0.2.7\r\nAuthorization: bearer  a.b.c\r\n",
      "Authorization: Basic x\r\n",
    ] {
      try entry.send("GET /later/0 HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
      later.responders.removeFirst().respond(.noContent)
    }
    #expect(later.requests[0].forwardedAddress == "192.0.2.7")
    #expect(later.requests[0].bearerToken == "a.b.c")
    #expect(later.requests[0].peer == later.requests[1].peer)
    #expect(later.requests[1].forwardedAddress == nil && later.requests[1].bearerToken == nil)
  }

  @Test func stopsKeepingAlive() throws {
    let (idle, _) = try self.later()
    idle.loop.stopKeepingAlive()
    #expect(!idle.channel.isActive)

    let (busy, later) = try self.later()
    try busy.send(self.get("/later/0"))
    busy.loop.stopKeepingAlive()
    #expect(busy.channel.isActive)
    later.responders[0].respond(.ok)
    #expect(try busy.takeOutput() == "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    #expect(!busy.channel.isActive)
  }

  @Test func endsAConnectionWhoseClientWantedAnotherProtocol() throws {
    let entry = try EmbeddedEntry()
    try entry.send(
      "GET /hello HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" + Self.hello
    )
    #expect(try entry.takeStatuses() == ["200"])
    #expect(!entry.channel.isActive)
  }
}
