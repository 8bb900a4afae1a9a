import Framing
import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

@Suite struct PollingTests {
  private func subscriber(
    _ server: ScriptedServer,
    _ transport: SubscriberTransport,
    _ shape: (inout SubscriberSettings) -> Void = { _ in }
  ) async throws -> Confined<ResilientSubscriber> {
    var settings = SubscriberSettings(name: "s", endpoint: server.endpoint, channels: [Script.room])
    settings.transport = transport
    settings.backoff = Script.backoff
    settings.pollInterval = .milliseconds(1)
    shape(&settings)
    let subscriber = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { [settings] loop in
      ResilientSubscriber(settings, on: loop)
    }
    try await subscriber.use { $0.start() }
    return subscriber
  }

  private func reached(_ subscriber: Confined<ResilientSubscriber>, _ offset: UInt64) async throws {
    _ = try await eventually("message \(offset)") {
      try await subscriber.use { $0.position(at: 0) } == Script.cursor(offset) ? true : nil
    }
  }

  private func entries(_ subscriber: Confined<ResilientSubscriber>) async throws -> [ChannelTrack.Entry] {
    let journal = try await subscriber.use { $0.journal }
    #expect(journal.complaints == [])
    return journal.tracks[0].entries
  }

  @Test func aLoadBalancersCookieIsThatOfTheLastAnswer() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .longPoll)
      let first = try await server.peer(0)
      #expect(try await !first.request().head.contains("Cookie"))
      first.say(Script.poll(4, headers: "Set-Cookie: sluice_route=r1; Path=/\r\n"))
      #expect(try await first.request().head.contains("\r\nCookie: sluice_route=r1\r\n"))
      first.say(Script.poll(5))
      #expect(try await first.request().head.contains("\r\nCookie: sluice_route=r1\r\n"))
      first.say(Script.poll(6, headers: "Set-Cookie: sluice_route=r2; Path=/\r\n"))
      #expect(try await first.request().head.contains("\r\nCookie: sluice_route=r2\r\n"))
      first.close()
      #expect(try await server.peer(1).request().head.contains("\r\nCookie: sluice_route=r2\r\n"))
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func aLongPollFollowsAnotherOnOneConnection() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .longPoll)
      let first = try await server.peer(0)
      #expect(try await first.request().line == "GET /v1/poll?channels=room:a&wait=0 HTTP/1.1")
      first.say(Script.poll(4))
      #expect(
        try await first.request().line
          == "GET /v1/poll?channels=room:a&since=room:a@aaaaaaaa.4&wait=25 HTTP/1.1"
      )
      #expect(try await subscriber.use { $0.isReady })
      first.say(Script.poll(6, [Script.message(5), Script.message(6)]))
      #expect(try await first.request().line.contains("since=room:a@aaaaaaaa.6&wait=25"))
      first.say(Script.poll(6))
      #expect(try await first.request().line.contains("since=room:a@aaaaaaaa.6&wait=25"))
      #expect(server.peerCount == 1)
      first.close()

      let second = try await server.peer(1)
      #expect(
        try await second.request().line
          == "GET /v1/poll?channels=room:a&since=room:a@aaaaaaaa.6&wait=0 HTTP/1.1"
      )
      second.say(Script.poll(7, [Script.message(7)]))
      try await reached(subscriber, 7)
      #expect(
        try await entries(subscriber) == [
          .started(at: Script.cursor(4)), .messages(first: Script.cursor(5), count: 2),
          .resumed(from: Script.cursor(6)), .messages(first: Script.cursor(7), count: 1),
        ]
      )
      try await subscriber.use { $0.stop() }
      _ = try await eventually("the end of the held poll") { second.isEnded ? true : nil }
    }
  }

  @Test func aPollFromTheStartBeginsBeforeItsFirstMessage() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .longPoll) { $0.since = .start }
      let peer = try await server.peer(0)
      #expect(try await peer.request().line.contains("channels=room:a&since=start&wait=0"))
      peer.say(Script.poll(4, [Script.message(3), Script.message(4)]))
      try await reached(subscriber, 4)
      #expect(
        try await entries(subscriber) == [
          .started(at: Script.cursor(2)), .messages(first: Script.cursor(3), count: 2),
        ]
      )
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func aShortPollSaysWhatItHasAndTakesNothingNew() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .shortPoll)
      let peer = try await server.peer(0)
      #expect(try await !peer.request().head.contains("If-None-Match"))
      peer.say(Script.poll(4))
      let second = try await peer.request()
      #expect(second.line.contains("since=room:a@aaaaaaaa.4&wait=0"))
      #expect(second.head.contains("If-None-Match: \"room:a@aaaaaaaa.4\"\r\n"))
      peer.say("HTTP/1.1 304 Not Modified\r\nETag: \"room:a@aaaaaaaa.4\"\r\n\r\n")
      #expect(try await peer.request().line.contains("since=room:a@aaaaaaaa.4&wait=0"))
      let gap = Gap(from: Script.cursor(4), to: Script.cursor(8), reason: .trimmed)
      peer.say(Script.poll(9, [Script.json(.gap(channel: Script.room, gap)), Script.message(9)]))
      #expect(try await peer.request().head.contains("If-None-Match: \"room:a@aaaaaaaa.9\"\r\n"))
      #expect(
        try await entries(subscriber) == [
          .started(at: Script.cursor(4)), .gap(gap), .messages(first: Script.cursor(9), count: 1),
        ]
      )
      #expect(server.peerCount == 1)
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func thePauseBetweenShortPollsIsTheOneThatTheNodeHints() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .shortPoll) { $0.pollInterval = nil }
      let peer = try await server.peer(0)
      _ = try await peer.request()
      let start = ContinuousClock.now
      peer.say(Script.poll(4, headers: "X-Poll-Interval: 1\r\n"))
      _ = try await peer.request()
      #expect(ContinuousClock.now - start >= .milliseconds(880))
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func aCursorThatDoesNotFollowFromTheEventsIsWrittenDown() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .longPoll)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(Script.poll(4))
      _ = try await peer.request()
      peer.say(Script.poll(7, [Script.message(5)]))
      #expect(try await peer.request().line.contains("since=room:a@aaaaaaaa.7"))
      #expect(
        try await entries(subscriber).last
          == .misplaced(asked: Script.cursor(5), answered: Script.cursor(7))
      )
      try await subscriber.use { $0.stop() }
    }
  }

  @Test(arguments: ["503 Service Unavailable", "502 Bad Gateway"])
  func comesBackAfterTheTimeThatItIsTold(_ status: String) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .longPoll)
      let first = try await server.peer(0)
      _ = try await first.request()
      let start = ContinuousClock.now
      first.say(Script.answer(status, headers: "Retry-After: 1\r\n"))
      let second = try await server.peer(1)
      _ = try await second.request()
      #expect(ContinuousClock.now - start >= .milliseconds(990))
      second.say(Script.poll(0))
      _ = try await eventually("a subscription") { try await subscriber.use { $0.isReady } ? true : nil }
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func keepsTheSessionThatAPollWithPresenceIsGiven() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .longPoll) { $0.presence = .join }
      let peer = try await server.peer(0)
      let first = try await peer.request()
      #expect(first.line.contains("wait=0&presence=join"))
      #expect(!first.head.contains("Sluice-Session"))
      peer.say(Script.poll(4, headers: "Sluice-Session: \(Script.session.secret)\r\n"))
      #expect(try await peer.request().head.contains("Sluice-Session: \(Script.session.secret)\r\n"))
      #expect(try await subscriber.use { $0.session } == Script.session.secret)
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func longPollsBeginWithoutShortOnesWhereThoseAreSwitchedOff() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .longPoll)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(Script.problem("403 Forbidden", .transportDisabled))
      #expect(try await peer.request().line.contains("channels=room:a&wait=1 "))
      peer.say(Script.poll(4))
      #expect(try await peer.request().line.contains("wait=25"))
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func goesOverFromAWebSocketToPollsAndBackBeforeItLetsGo() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let socket = try await server.peer(0)
      _ = try await socket.acceptWebSocket()
      socket.sayText(Script.welcome("one"))
      _ = try await socket.command()
      socket.sayText(Script.subscribed(4))
      socket.sayText(Script.message(5))
      try await reached(subscriber, 5)

      try await subscriber.use { $0.move(to: .longPoll) }
      let poll = try await server.peer(1)
      #expect(try await poll.request().line.contains("since=room:a@aaaaaaaa.5&wait=0"))
      #expect(!socket.isEnded)
      socket.sayText(Script.message(6))
      try await reached(subscriber, 6)
      poll.say(Script.poll(6, [Script.message(6)]))
      #expect(try await poll.request().line.contains("since=room:a@aaaaaaaa.6&wait=25"))
      #expect(try await socket.frame() == .close(code: .normal, reason: ""))

      try await subscriber.use { $0.move(to: .webSocket) }
      let again = try await server.peer(2)
      _ = try await again.acceptWebSocket()
      again.sayText(Script.welcome("two"))
      let wish = ClientCommand.subscribe(
        channel: Script.room,
        since: .cursor(Script.cursor(6)),
        presence: nil
      )
      #expect(try await again.command().command == wish)
      #expect(!poll.isEnded)
      again.sayText(Script.subscribed(6, resumed: true))
      again.sayText(Script.message(7))
      try await reached(subscriber, 7)
      _ = try await eventually("the end of the held poll") { poll.isEnded ? true : nil }
      #expect(
        try await entries(subscriber) == [
          .started(at: Script.cursor(4)), .messages(first: Script.cursor(5), count: 2),
          .resumed(from: Script.cursor(5)), .resumed(from: Script.cursor(6)),
          .messages(first: Script.cursor(7), count: 1),
        ]
      )
      let connections = try await subscriber.use { $0.journal.connections }
      #expect(connections.map(\.transport) == [.webSocket, .longPoll, .webSocket])
      try await subscriber.use { $0.stop() }
    }
  }

  /// A stream that has just taken over says ids that lie behind what its predecessor brought.
  @Test func whoMovesOnAtOnceGivesItsPositionAndNotTheLastID() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let socket = try await server.socket()
      socket.sayText(Script.message(5))
      try await reached(subscriber, 5)
      try await subscriber.use { $0.move(to: .eventStream) }
      let stream = try await server.peer(1)
      #expect(try await stream.request().head.contains("Last-Event-ID: room:a@aaaaaaaa.5\r\n"))
      socket.sayText(Script.message(6))
      socket.sayText(Script.message(7))
      try await reached(subscriber, 7)
      stream.say(Script.streamHead + Script.sse("welcome", "room:a@aaaaaaaa.5", Script.welcome("two")))
      #expect(try await socket.frame() == .close(code: .normal, reason: ""))
      try await subscriber.use { $0.move(to: .eventStream) }
      let next = try await server.peer(2)
      #expect(try await next.request().head.contains("Last-Event-ID: room:a@aaaaaaaa.7\r\n"))
      next.say(Script.streamHead + Script.sse("welcome", "room:a@aaaaaaaa.7", Script.welcome("three")))
      next.say(Script.sse(nil, "room:a@aaaaaaaa.8", Script.message(8)))
      try await reached(subscriber, 8)
      #expect(
        try await entries(subscriber) == [
          .started(at: Script.cursor(4)), .messages(first: Script.cursor(5), count: 3),
          .resumed(from: Script.cursor(5)), .resumed(from: Script.cursor(7)),
          .messages(first: Script.cursor(8), count: 1),
        ]
      )
      try await subscriber.use { $0.stop() }
    }
  }
}
