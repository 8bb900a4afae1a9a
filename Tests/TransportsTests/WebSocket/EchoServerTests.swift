import Framing
import NIOCore
import NIOPosix
import Testing
import Wire

@testable import Transports

/// The codec on real sockets.
@Suite(.serialized)
struct EchoServerTests {
  private func withServer(_ body: (SocketAddress) async throws -> Void) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try await EchoServer.start(host: "127.0.0.1", port: 0, on: group)
    do {
      try await body(server.localAddress)
      try await server.stopListening()
      try await group.shutdownGracefully()
    } catch {
      try await group.shutdownGracefully()
      throw error
    }
  }

  private func text(_ text: String) -> ByteBuffer { WebSocketClient.frame(.text, ByteBuffer(string: text)) }

  @Test func takesFramesThatCameWithTheRequest() async throws {
    try await self.withServer { address in
      var early = self.text("early")
      early.writeImmutableBuffer(self.text("and earlier"))
      let client = try await WebSocketClient.connect(to: address, with: early)
      try await client.raw.send(self.text("later"))
      #expect(try await client.events(count: 3) == [.text("early"), .text("and earlier"), .text("later")])
      try await client.raw.close()
    }
  }

  @Test func takesAHandshakeInEveryCut() async throws {
    try await self.withServer { address in
      var bytes = ByteBuffer(string: WebSocketClient.request)
      let requestLength = bytes.readableBytes
      bytes.writeImmutableBuffer(self.text("early"))
      for cut in stride(from: requestLength - 3, through: bytes.readableBytes, by: 1) {
        let raw = try await RawClient.connect(to: address)
        try await raw.send(bytes.getSlice(at: 0, length: cut)!)
        try await raw.send(bytes.getSlice(at: cut, length: bytes.readableBytes - cut)!)
        #expect(try await WebSocketClient(raw: raw).events(count: 1) == [.text("early")])
        try await raw.close()
      }
    }
  }

  @Test(arguments: [0, 125, 126, 65_535, 65_536, 1 << 20, EchoServer.maximumMessageSize])
  func echoes(length: Int) async throws {
    try await self.withServer { address in
      let pattern = ByteBuffer(bytes: (0..<251).map { UInt8($0) })
      var payload = ByteBuffer()
      while payload.readableBytes < length { payload.writeImmutableBuffer(pattern) }
      payload.moveWriterIndex(to: length)
      let client = try await WebSocketClient.connect(to: address)
      client.raw.post(WebSocketClient.frame(.binary, payload))
      let received = try await client.raw.received(within: .seconds(60)) { bytes, hasEnded in
        hasEnded || (bytes.readableBytes > length && WebSocketClient.events(in: bytes)?.isEmpty == false)
      }
      #expect(WebSocketClient.events(in: received) == [.message(.binary, payload)])
      try await client.raw.close()
    }
  }

  @Test func doesTheWholeClosingHandshake() async throws {
    try await self.withServer { address in
      let client = try await WebSocketClient.connect(to: address, with: self.text("a"))
      var last = WebSocketClient.close(.normal, "done")
      last.writeImmutableBuffer(self.text("after the close"))
      try await client.raw.send(last)
      #expect(try await client.eventsToTheEnd() == [.text("a"), .close(code: .normal, reason: "")])
      try await client.raw.close()
    }
  }

  @Test(
    arguments: [
      ([0x81, 0x01, 0x61], CloseCode.protocolError),
      ([0x82, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4], CloseCode.tooBig),
      ([0x81, 0x84, 0, 0, 0, 0, 0xFF], CloseCode.invalidText),
    ] as [([UInt8], CloseCode)]
  )
  func tellsWhyAndCloses(bytes: [UInt8], code: CloseCode) async throws {
    try await self.withServer { address in
      let client = try await WebSocketClient.connect(to: address)
      // The peer goes on sending: what it was told must reach it all the same.
      var flood = ByteBuffer(bytes: bytes)
      flood.writeRepeatingByte(0x55, count: 300_000)
      client.raw.post(flood)
      let events = try await client.eventsToTheEnd()
      guard case .close(let received?, _)? = events.first else {
        Issue.record("\(events)")
        return
      }
      #expect(received == code)
      try? await client.raw.close()
    }
  }

  @Test func refusesWhatIsNoHandshake() async throws {
    try await self.withServer { address in
      for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426"),
        ("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "405"),
        (WebSocketClient.request.replacing("Version: 13", with: "Version: 12"), "426"),
        (WebSocketClient.request.replacing("Key: dGhl", with: "Key: dG"), "400"),
        ("\u{16}\u{3}\u{1} garbage", "400"),
      ] {
        let raw = try await RawClient.connect(to: address)
        try await raw.send(request)
        let answer = try await raw.received { bytes, _ in String(buffer: bytes).contains("\r\n\r\n{") }
        #expect(String(buffer: answer).hasPrefix("HTTP/1.1 \(status) "))
        try await raw.close()
      }
    }
  }

  /// A client that sends and does not read is not read from either, and then gets everything.
  @Test func queuesNothingForWhoDoesNotRead() async throws {
    try await self.withServer { address in
      let raw = try await RawClient.connect(to: address, autoRead: false)
      try await raw.send(WebSocketClient.request)
      let payload = ByteBuffer(repeating: 0x61, count: 100_000)
      let count = 300
      for _ in 0..<count { raw.post(WebSocketClient.frame(.text, payload)) }
      raw.post(WebSocketClient.close(.normal))
      try await raw.startReading()
      let received = try await raw.receivedToTheEnd(within: .seconds(60))
      let events = try #require(WebSocketClient.events(in: received))
      #expect(events.count == count + 1)
      #expect(events.dropLast().allSatisfy { $0 == .message(.text, payload) })
      #expect(events.last == .close(code: .normal, reason: ""))
      try await raw.close()
    }
  }
}
