import Framing
import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

@Suite struct ResilientSubscriberTests {
  private static let room = ChannelName("room:a")!
  private static let session = Session(user: nil)
  private static func cursor(_ offset: UInt64) -> Cursor { Cursor(Epoch("aaaaaaaa")!, offset) }

  private func subscriber(
    _ server: ScriptedServer,
    _ transport: SubscriberTransport
  ) async throws -> Confined<ResilientSubscriber> {
    var settings = SubscriberSettings(name: "s", endpoint: server.endpoint, channels: [Self.room])
    settings.transport = transport
    settings.backoff = Backoff(floor: .milliseconds(1), base: .milliseconds(5), ceiling: .milliseconds(20))
    let subscriber = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { [settings] loop in
      ResilientSubscriber(settings, on: loop)
    }
    try await subscriber.use { $0.start() }
    return subscriber
  }

  private static func json(_ event: ServerEvent) -> String {
    var buffer = ByteBuffer()
    event.write(into: &buffer)
    return String(buffer: buffer)
  }

  private static func welcome(_ node: String) -> String {
    json(.welcome(session: session, node: node, user: nil, heartbeat: 25))
  }

  private static func message(_ offset: UInt64) -> String {
    let data = ByteBuffer(string: "{\"n\":\(offset)}")
    return json(.message(channel: room, cursor: cursor(offset), data: data, user: nil, time: 1))
  }

  private static func subscribed(_ offset: UInt64, resumed: Bool) -> String {
    json(.subscribed(id: 1, channel: room, cursor: cursor(offset), resumed: resumed))
  }

  private func entries(_ subscriber: Confined<ResilientSubscriber>) async throws -> [ChannelTrack.Entry] {
    let journal = try await subscriber.use { $0.journal }
    #expect(journal.complaints == [])
    return journal.tracks[0].entries
  }

  private func reached(_ subscriber: Confined<ResilientSubscriber>, _ offset: UInt64) async throws {
    _ = try await eventually("message \(offset)") {
      try await subscriber.use { $0.position(at: 0) } == Self.cursor(offset) ? true : nil
    }
  }

  private func subscription(_ peer: ScriptedServer.Peer) async throws -> ClientCommand {
    guard case .message(.text, let text) = try await peer.frame() else { return .ping }
    return try ClientRequest(parsing: text).command
  }

  @Test func goesOnWhereAWebSocketWasLost() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let first = try await server.peer(0)
      #expect(
        try await first.acceptWebSocket(headers: "Set-Cookie: sluice_route=r1; Path=/\r\n").contains(
          "GET /v1/socket HTTP"
        )
      )
      first.sayText(Self.welcome("one"))
      #expect(try await subscription(first) == .subscribe(channel: Self.room, since: nil, presence: nil))
      first.sayText(Self.subscribed(4, resumed: false))
      for offset in UInt64(5)...7 { first.sayText(Self.message(offset)) }
      try await reached(subscriber, 7)
      #expect(try await subscriber.use { $0.node } == "one")
      first.close()

      let second = try await server.peer(1)
      let request = try await second.acceptWebSocket()
      #expect(request.contains("GET /v1/socket?session=\(Self.session.secret) HTTP"))
      #expect(request.contains("\r\nCookie: sluice_route=r1\r\n"))
      second.sayText(Self.welcome("two"))
      let again = ClientCommand.subscribe(channel: Self.room, since: .cursor(Self.cursor(7)), presence: nil)
      #expect(try await subscription(second) == again)
      second.sayText(Self.subscribed(7, resumed: true))
      second.sayText(Self.message(8))
      try await reached(subscriber, 8)
      #expect(
        try await entries(subscriber) == [
          .started(at: Self.cursor(4)), .messages(first: Self.cursor(5), count: 3),
          .resumed(from: Self.cursor(7)), .messages(first: Self.cursor(8), count: 1),
        ]
      )
      try await subscriber.use { $0.stop() }
      #expect(try await entries(subscriber).last == .stopped)
    }
  }

  @Test func connectsAnewBeforeItLetsGo() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let first = try await server.peer(0)
      _ = try await first.acceptWebSocket()
      first.sayText(Self.welcome("one"))
      _ = try await subscription(first)
      first.sayText(Self.subscribed(0, resumed: false))
      first.sayText(Self.message(1))
      try await reached(subscriber, 1)
      first.sayText(Self.json(.goaway(reason: "drain", reconnectAfterMS: 20)))

      let second = try await server.peer(1)
      _ = try await second.acceptWebSocket()
      second.sayText(Self.welcome("two"))
      let again = ClientCommand.subscribe(channel: Self.room, since: .cursor(Self.cursor(1)), presence: nil)
      #expect(try await subscription(second) == again)
      #expect(!first.isEnded)
      first.sayText(Self.message(2))
      try await reached(subscriber, 2)
      second.sayText(Self.subscribed(1, resumed: true))
      second.sayText(Self.message(2))
      second.sayText(Self.message(3))
      try await reached(subscriber, 3)
      #expect(try await first.frame() == .close(code: .normal, reason: ""))
      first.sayText(Self.message(3))
      first.close()
      second.sayText(Self.message(4))
      try await reached(subscriber, 4)
      #expect(
        try await entries(subscriber) == [
          .started(at: Self.cursor(0)), .messages(first: Self.cursor(1), count: 2),
          .resumed(from: Self.cursor(1)), .messages(first: Self.cursor(3), count: 2),
        ]
      )
      let connections = try await subscriber.use { $0.journal.connections }
      #expect(connections.map(\.node) == ["one", "two"])
      #expect(connections[0].sentAwayAt != nil)
      #expect(server.peerCount == 2)
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func asksAgainWhenASubscriptionIsNotPossibleYet() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let peer = try await server.peer(0)
      _ = try await peer.acceptWebSocket()
      _ = try await subscription(peer)
      peer.sayText(Self.json(.error(id: 1, ClientError(.unavailable, "not now", retryAfterMS: 1))))
      #expect(try await subscription(peer) == .subscribe(channel: Self.room, since: nil, presence: nil))
      peer.sayText(Self.subscribed(0, resumed: false))
      _ = try await eventually("a subscription") { try await subscriber.use { $0.isReady } ? true : nil }
      try await subscriber.use { $0.stop() }
    }
  }

  @Test(arguments: [UInt16(4001), 4003, 4004])
  func givesUpWhenItIsNotWanted(_ code: UInt16) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let peer = try await server.peer(0)
      _ = try await peer.acceptWebSocket()
      var frame = ByteBuffer()
      WebSocketFrame.writeClose(code: CloseCode(rawValue: code), into: &frame)
      peer.say(frame)
      let reason = try await eventually("the end") { try await subscriber.use { $0.givenUp } }
      #expect(reason.contains("\(code)"))
    }
  }

  private static let streamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

  private static func sse(_ name: String?, _ id: UInt64, _ json: String) -> String {
    (name.map { "event: \($0)\n" } ?? "") + "id: \(room)@\(cursor(id))\ndata: \(json)\n\n"
  }

  @Test(arguments: [SubscriberTransport.eventStream, .nativeEventSource])
  func goesOnWhereAnEventStreamEnded(_ transport: SubscriberTransport) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, transport)
      let first = try await server.peer(0)
      #expect(try await first.text(to: "\r\n\r\n").contains("GET /v1/stream?channels=room:a HTTP"))
      first.say(Self.streamHead + "retry: 5\n\n" + Self.sse("welcome", 4, Self.welcome("one")))
      first.say(Self.sse(nil, 5, Self.message(5)) + Self.sse(nil, 6, Self.message(6)))
      try await reached(subscriber, 6)
      first.say(Self.sse("goaway", 6, Self.json(.goaway(reason: "drain", reconnectAfterMS: 10))))
      first.close()

      let second = try await server.peer(1)
      let request = try await second.text(to: "\r\n\r\n")
      let isNative = transport == .nativeEventSource
      let session = isNative ? "" : "&session=\(Self.session.secret)"
      #expect(request.contains("GET /v1/stream?channels=room:a\(session) HTTP"))
      #expect(request.contains("\r\nLast-Event-ID: room:a@aaaaaaaa.6\r\n"))
      second.say(
        Self.streamHead + Self.sse("welcome", 6, Self.welcome("two")) + Self.sse(nil, 7, Self.message(7))
      )
      try await reached(subscriber, 7)
      #expect(
        try await entries(subscriber) == [
          .started(at: Self.cursor(4)), .messages(first: Self.cursor(5), count: 2),
          .resumed(from: Self.cursor(6)), .messages(first: Self.cursor(7), count: 1),
        ]
      )
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func aNativeEventSourceTakesARefusalAsFinalAndOursDoesNot() async throws {
    try await ScriptedServer.run { server in
      let native = try await subscriber(server, .nativeEventSource)
      let first = try await server.peer(0)
      _ = try await first.text(to: "\r\n\r\n")
      first.say("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
      _ = try await eventually("the end") { try await native.use { $0.givenUp } }

      let ours = try await subscriber(server, .eventStream)
      let second = try await server.peer(1)
      _ = try await second.text(to: "\r\n\r\n")
      second.say("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n")
      let third = try await server.peer(2)
      _ = try await third.text(to: "\r\n\r\n")
      third.say(Self.streamHead + Self.sse("welcome", 0, Self.welcome("one")))
      _ = try await eventually("a subscription") { try await ours.use { $0.isReady } ? true : nil }
      try await ours.use { $0.stop() }
    }
  }
}
