import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import Transports

/// The way in on real sockets.
struct EntryServerTests {
  private func withServer(
    _ change: (inout EntryServer.Settings) -> Void = { _ in },
    _ body: (EntryServer) async throws -> Void
  ) async throws {
    var settings = EntryServer.Settings(host: "127.0.0.1", port: 0)
    change(&settings)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await EntryServer.start(settings, on: group) { loop in
      let eventLoop = loop.eventLoop
      var routes = RouteTable()
      routes.add(.GET, "/hello") { request, responder in
        responder.respond(.ok, body: ByteBuffer(string: request.peer?.ipAddress ?? "?"))
      }
      routes.add(.GET, "/big") { _, responder in
        responder.respond(.ok, body: ByteBuffer(repeating: 0x61, count: 4 << 20))
      }
      routes.add(.POST, "/slow", bodyLimit: 10) { request, responder in
        let responder = NIOLoopBound(responder, eventLoop: eventLoop)
        let body = request.body
        eventLoop.scheduleTask(in: .milliseconds(50)) { responder.value.respond(.ok, body: body) }
      }
      routes.add(.GET, "/ticks") { _, responder in
        guard let stream = responder.beginStream(headers: ["Content-Type": "text/event-stream"]) else {
          return
        }
        for tick in 0..<3 { stream.write(ByteBuffer(string: "data: \(tick)\n\n")) }
        stream.end()
      }
      return routes
    }
    do {
      try await body(server)
      try await server.stopListening()
      try await group.shutdownGracefully()
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }

  @Test func servesOnOneConnection() async throws {
    try await self.withServer { server in
      let client = try await RawClient.connect(to: server.localAddress)
      try await client.send(
        "GET /ticks HTTP/1.1\r\nHost: a\r\n\r\nPOST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nslow"
      )
      try await client.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
      let received = try await client.received { bytes, _ in String(buffer: bytes).hasSuffix("127.0.0.1") }
      let text = String(buffer: received)
      #expect(text.split(separator: "HTTP/1.1 200 OK\r\n").count == 3)
      #expect(text.contains("data: 2\n\n\r\n0\r\n\r\n"))
      #expect(text.contains("Content-Length: 4\r\n\r\nslow"))
      #expect(try await server.connectionCount() == 1)
      try await server.stopKeepingAlive()
      #expect(try await client.receivedToTheEnd() == received)
      try await client.close()
    }
  }

  @Test func answersAClientThatHasClosedItsHalf() async throws {
    try await self.withServer { server in
      let client = try await RawClient.connect(to: server.localAddress)
      try await client.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nslow")
      try await client.end()
      #expect(String(buffer: try await client.receivedToTheEnd()).hasSuffix("\r\n\r\nslow"))
    }
  }

  /// A refused upload goes on arriving; the refusal reaches its sender nevertheless.
  @Test func refusesAnUploadThatGoesOn() async throws {
    try await self.withServer { server in
      let client = try await RawClient.connect(to: server.localAddress)
      var upload = ByteBuffer(string: "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n")
      upload.writeRepeatingByte(0x61, count: 400_000)
      client.post(upload)
      let answer = String(buffer: try await client.receivedToTheEnd())
      #expect(answer.hasPrefix("HTTP/1.1 413 "))
      #expect(answer.contains(#""code":"too_large""#))
    }
  }

  @Test func sendsALargeAnswerToTheEnd() async throws {
    try await self.withServer { server in
      let client = try await RawClient.connect(to: server.localAddress, autoRead: false)
      try await client.send("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      try await client.startReading()
      #expect(try await client.receivedToTheEnd(within: .seconds(30)).readableBytes > 4 << 20)
    }
  }

  @Test func closesAHalfSentHead() async throws {
    try await self.withServer({ $0.limits.headTimeout = .seconds(3) }) { server in
      let half = try await RawClient.connect(to: server.localAddress)
      try await half.send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try await half.received { bytes, _ in String(buffer: bytes).hasSuffix("127.0.0.1") }
      try await half.send("GET /hello HTTP/1.1\r\nHo")
      #expect(String(buffer: try await half.receivedToTheEnd()).contains("HTTP/1.1 408 "))
      let silent = try await RawClient.connect(to: server.localAddress)
      #expect(try await silent.receivedToTheEnd().readableBytes == 0)
    }
  }

  @Test func saysWhenItsAddressIsTaken() async throws {
    try await self.withServer { server in
      await #expect(throws: (any Error).self) {
        let port = try #require(server.localAddress.port)
        _ = try await EntryServer.start(
          EntryServer.Settings(host: "127.0.0.1", port: port),
          on: MultiThreadedEventLoopGroup.singleton
        ) { _ in RouteTable() }
      }
    }
  }
}
