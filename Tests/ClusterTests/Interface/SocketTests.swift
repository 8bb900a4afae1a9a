import Framing
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// The WebSocket of one node.
  @Suite struct SocketTests {
    private func handshake(_ head: String) async throws -> String {
      let cluster = try await ClusterTests.cluster()
      let connection = try await RawConnection(to: cluster.node(0))
      connection.send(head + "\r\nHost: localhost\r\n\r\n")
      let answer = try await connection.text(with: "\r\n\r\n")
      connection.close()
      return answer
    }

    @Test(arguments: [
      ("GET /v1/socket HTTP/1.1", "426"),
      (
        "GET /v1/socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13",
        "400"
      ),
      (
        "GET /v1/socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          + "Sec-WebSocket-Key: c2hvcnQ=", "400"
      ),
      (
        "GET /v1/socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"
          + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "426"
      ),
      (
        "POST /v1/socket HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: 0", "405"
      ),
    ])
    func aBadHandshakeIsAnsweredInHTTP(_ head: String, _ status: String) async throws {
      let answer = try await handshake(head)
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(answer)")
      if status == "426" { #expect(answer.lowercased().contains("\r\nsec-websocket-version: 13\r\n")) }
    }

    @Test func theHandshakeOfTheStandardIsAccepted() async throws {
      let answer = try await handshake(
        "GET /v1/socket HTTP/1.1\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
          + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          + "Sec-WebSocket-Protocol: other, sluice.v1.json"
      ).lowercased()
      #expect(answer.hasPrefix("http/1.1 101 "))
      #expect(answer.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"))
      #expect(answer.contains("\r\nsec-websocket-protocol: sluice.v1.json\r\n"))
      #expect(!answer.contains("sec-websocket-extensions"))
    }

    @Test func saysWelcomeThenAnswersEachCommand() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      let welcome = try await socket.welcome()
      #expect(welcome.node == "gateway-1")
      #expect(welcome.heartbeat > 0)
      guard case .welcome = socket.events.first else {
        Issue.record("the first event is no welcome")
        return
      }
      let room = try #require(ChannelName("room:commands"))
      let start = try #require(try await socket.subscribe("room:commands", id: 7))
      socket.send(8, .publish(channel: room, data: ByteBuffer(string: #"{"text":"hi"}"#), key: nil))
      let cursor = try await socket.event("published") { event -> Cursor? in
        if case .published(8, room, let cursor) = event { cursor } else { nil }
      }
      #expect(cursor == Cursor(start.epoch, start.offset + 1))
      let heard = try await socket.event("the message") { event -> Cursor? in
        guard case .message(room, let cursor, let data, nil, let time) = event else { return nil }
        #expect(String(buffer: data) == #"{"text":"hi"}"#)
        #expect(time > 1_700_000_000_000)
        return cursor
      }
      #expect(heard == cursor)
      socket.send(9, .ping)
      _ = try await socket.event("pong") { if case .pong(9) = $0 { true } else { nil } }
      socket.send(10, .unsubscribe(channel: room))
      _ = try await socket.event("unsubscribed") {
        if case .unsubscribed(10, room) = $0 { true } else { nil }
      }
      socket.close()
      #expect(try await socket.closeCode() == 1000)
    }

    @Test func aSessionIsKeptOnAnyNode() async throws {
      let cluster = try await ClusterTests.cluster()
      let first = try await Socket(to: cluster.node(0))
      let session = try await first.welcome().session
      let second = try await Socket(to: cluster.node(1), path: "/v1/socket?session=\(session.secret)")
      let welcome = try await second.welcome()
      #expect(welcome.session == session)
      #expect(welcome.node == "gateway-2")
      let stranger = try await Socket(to: cluster.node(1), path: "/v1/socket?session=nonsense")
      #expect(try await stranger.welcome().session != session)
      #expect(!first.isClosed)
      for socket in [first, second, stranger] { socket.abort() }
    }

    @Test(arguments: [
      (#"{"type":"subscribe","id":3,"channel":"no spaces"}"#, ErrorCode.badChannel),
      (#"{"type":"subscribe","id":3,"channel":"a","since":"nonsense"}"#, .badCursor),
      (#"{"type":"unsubscribe","id":3,"channel":"never"}"#, .notSubscribed),
      (#"{"type":"dance","id":3}"#, .unknownType),
      (#"{"id":3}"#, .badRequest),
      (#"{"type":"publish","id":3,"channel":"a"}"#, .badRequest),
    ])
    func aMistakeIsAnsweredAndTheConnectionStays(_ text: String, _ code: ErrorCode) async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      socket.send(text: text)
      #expect(try await socket.error(3).code == code)
      socket.send(4, .ping)
      _ = try await socket.event("pong") { if case .pong(4) = $0 { true } else { nil } }
      socket.abort()
    }

    @Test func aSecondSubscriptionOfTheSameChannelIsAMistake() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      try await socket.subscribe("room:twice", id: 1)
      socket.send(text: #"{"type":"subscribe","id":2,"channel":"room:twice"}"#)
      #expect(try await socket.error(2).code == .alreadySubscribed)
      socket.abort()
    }

    @Test func theTenthMistakeInAMinuteClosesIt() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      _ = try await socket.welcome()
      for _ in 0..<10 { socket.send(text: "{") }
      #expect(try await socket.closeCode() == 1008)
      let errors = socket.events.count { if case .error(nil, _) = $0 { true } else { false } }
      #expect((9...10).contains(errors))
    }

    /// Frames that break RFC 6455, each masked with zeros where it is masked.
    @Test(
      arguments: [
        ("unmasked", [0x81, 0x01, 0x61], 1002),
        ("reserved bit", [0xc1, 0x80, 0, 0, 0, 0], 1002),
        ("reserved opcode", [0x83, 0x80, 0, 0, 0, 0], 1002),
        ("reserved control opcode", [0x8b, 0x80, 0, 0, 0, 0], 1002),
        ("fragmented ping", [0x09, 0x80, 0, 0, 0, 0], 1002),
        ("long ping", [0x89, 0xfe, 0x00, 0x7e, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 126), 1002),
        ("continuation of nothing", [0x80, 0x80, 0, 0, 0, 0], 1002),
        ("length not in its shortest form", [0x81, 0xfe, 0x00, 0x01, 0, 0, 0, 0, 0x61], 1002),
        ("close of one byte", [0x88, 0x81, 0, 0, 0, 0, 0x03], 1002),
        ("close code 1005", [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed], 1002),
        ("binary", [0x82, 0x81, 0, 0, 0, 0, 0x61], 1003),
        ("bad UTF-8", [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28], 1007),
        ("1 GiB", [0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0], 1009),
      ] as [(String, [UInt8], UInt16)]
    )
    func aBrokenFrameClosesWithItsCode(_ name: String, _ frame: [UInt8], _ code: UInt16) async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      _ = try await socket.welcome()
      socket.send(raw: frame)
      #expect(try await socket.closeCode() == code, "\(name)")
    }

    @Test func answersPingsInsideOfAFragmentedMessage() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      _ = try await socket.welcome()
      let text = #"{"type":"ping","id":5}"#
      try await socket.connection.use { connection in
        connection.sendFrame(.text, isFinal: false, ByteBuffer(string: String(text.prefix(9))))
        connection.sendPing(ByteBuffer(string: "between"))
        connection.sendFrame(.continuation, isFinal: true, ByteBuffer(string: String(text.dropFirst(9))))
      }
      _ = try await socket.arrivals.first("the pong frame") {
        if case .pong(ByteBuffer(string: "between")) = $0 { true } else { nil }
      }
      _ = try await socket.event("pong") { if case .pong(5) = $0 { true } else { nil } }
      socket.abort()
    }
  }
}
