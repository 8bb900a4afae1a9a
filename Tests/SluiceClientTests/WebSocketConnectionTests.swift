import Framing
import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

@Suite struct WebSocketConnectionTests {
  private typealias Event = WebSocketConnection.Event

  private struct Client {
    let connection: Confined<WebSocketConnection>
    let inbox: Inbox<WebSocketConnection.Event>

    init(_ server: ScriptedServer, path: String = "/v1/socket") async throws {
      let inbox = Inbox<WebSocketConnection.Event>()
      let endpoint = server.endpoint
      connection = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
        WebSocketConnection(to: endpoint, path: path, headers: ["X-Test": "1"], on: loop) { inbox.append($0) }
      }
      self.inbox = inbox
    }

    func opened() async throws -> HandshakeAnswer {
      try await inbox.first("an open connection") { if case .opened(let answer) = $0 { answer } else { nil } }
    }

    func text() async throws -> String {
      try await inbox.first("a text") { if case .text(let text) = $0 { String(buffer: text) } else { nil } }
    }

    func closure() async throws -> WebSocketConnection.Closure {
      try await inbox.first("the end") { if case .closed(let closure) = $0 { closure } else { nil } }
    }
  }

  @Test func opensSendsAndReceives() async throws {
    try await ScriptedServer.run { server in
      let client = try await Client(server, path: "/v1/socket?session=x")
      let peer = try await server.peer(0)
      let request = try await peer.acceptWebSocket(headers: "X-Node: a\r\n")
      #expect(request.hasPrefix("GET /v1/socket?session=x HTTP/1.1\r\nHost: 127.0.0.1:"))
      #expect(request.contains("\r\nX-Test: 1\r\n"))
      #expect(try await client.opened().headers["x-node"] == ["a"])
      try await client.connection.use { $0.send(ClientRequest(id: 1, .ping)) }
      #expect(try await peer.frame() == .message(.text, ByteBuffer(string: #"{"type":"ping","id":1}"#)))
      peer.sayText("hello")
      #expect(try await client.text() == "hello")
    }
  }

  @Test func takesAMessageThatComesWithTheAnswer() async throws {
    try await ScriptedServer.run { server in
      let client = try await Client(server)
      let peer = try await server.peer(0)
      let request = try await peer.text(to: "\r\n\r\n")
      let key = request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }!.dropFirst(19)
      var answer = ByteBuffer(
        string: "HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Accept: \(WebSocketHandshake.acceptKey(for: key))\r\n\r\n"
      )
      WebSocketFrame.write(text: "early", into: &answer)
      peer.say(answer)
      #expect(try await client.text() == "early")
    }
  }

  @Test func answersPingsAndTheCloseHandshake() async throws {
    try await ScriptedServer.run { server in
      let client = try await Client(server)
      let peer = try await server.peer(0)
      _ = try await peer.acceptWebSocket()
      var frames = ByteBuffer()
      WebSocketFrame.write(.ping, payload: ByteBuffer(string: "p"), into: &frames)
      WebSocketFrame.writeClose(code: .drain, reason: "drain", into: &frames)
      peer.say(frames)
      #expect(try await peer.frame() == .pong(ByteBuffer(string: "p")))
      #expect(try await peer.frame() == .close(code: .drain, reason: ""))
      peer.close()
      guard case .closed(let code, let reason) = try await client.closure() else {
        Issue.record("not closed by a close frame")
        return
      }
      #expect(code == 1012)
      #expect(reason == "drain")
    }
  }

  @Test func closesWithItsCode() async throws {
    try await ScriptedServer.run { server in
      let client = try await Client(server)
      let peer = try await server.peer(0)
      _ = try await peer.acceptWebSocket()
      _ = try await client.opened()
      try await client.connection.use { $0.close(code: .goingAway, reason: "bye") }
      #expect(try await peer.frame() == .close(code: .goingAway, reason: "bye"))
      var frame = ByteBuffer()
      WebSocketFrame.writeClose(code: .goingAway, into: &frame)
      peer.say(frame)
      peer.close()
      guard case .closed(1001, _) = try await client.closure() else {
        Issue.record("not closed by a close frame")
        return
      }
    }
  }

  @Test func saysHowItFailed() async throws {
    try await ScriptedServer.run { server in
      let refused = try await Client(server)
      let first = try await server.peer(0)
      _ = try await first.text(to: "\r\n\r\n")
      first.say("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")
      guard case .refused(let answer) = try await refused.closure() else {
        Issue.record("not refused")
        return
      }
      #expect(answer.status == 503)
      #expect(answer.headers["retry-after"] == ["1"])

      let impostor = try await Client(server)
      let second = try await server.peer(1)
      _ = try await second.text(to: "\r\n\r\n")
      second.say("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: xyz\r\n\r\n")
      guard case .failed = try await impostor.closure() else {
        Issue.record("a wrong accept was accepted")
        return
      }

      let lost = try await Client(server)
      let third = try await server.peer(2)
      _ = try await third.acceptWebSocket()
      _ = try await lost.opened()
      third.close()
      guard case .lost = try await lost.closure() else {
        Issue.record("not lost")
        return
      }

      let violated = try await Client(server)
      let fourth = try await server.peer(3)
      _ = try await fourth.acceptWebSocket()
      fourth.say(ByteBuffer(bytes: [0xff, 0x00]))
      guard case .lost = try await violated.closure() else {
        Issue.record("a broken frame was accepted")
        return
      }
    }
  }

  @Test func saysWhenNobodyListens() async throws {
    try await ScriptedServer.run { server in
      try await server.stop()
      let client = try await Client(server)
      guard case .failed = try await client.closure() else {
        Issue.record("it connected")
        return
      }
    }
  }

  @Test func readsNoFasterThanItsPace() async throws {
    try await ScriptedServer.run { server in
      let inbox = Inbox<WebSocketConnection.Event>()
      var endpoint = server.endpoint
      endpoint.readRate = 4_096
      endpoint.sourceAddress = "127.0.0.3"
      let connection = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) {
        [endpoint] loop in
        WebSocketConnection(to: endpoint, on: loop) { inbox.append($0) }
      }
      let peer = try await server.peer(0)
      _ = try await peer.acceptWebSocket()
      let texts: @Sendable () -> Int = {
        inbox.all.count { if case .text = $0 { true } else { false } }
      }
      let start = ContinuousClock.now
      for _ in 0..<40 { peer.sayText(String(repeating: "x", count: 250)) }
      _ = try await eventually("the first texts") { texts() >= 16 ? true : nil }
      #expect(ContinuousClock.now - start > .milliseconds(500))
      #expect(texts() < 40)
      try await connection.use { $0.setReadRate(nil) }
      _ = try await eventually("every text") { texts() == 40 ? true : nil }
    }
  }
}
