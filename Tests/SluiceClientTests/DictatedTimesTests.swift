import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import Wire

@testable import SluiceClient

/// Times that a server asks a client to wait, however absurd they are.
@Suite struct DictatedTimesTests {
  private func subscriber(
    _ server: ScriptedServer,
    _ transport: SubscriberTransport,
    tells states: Inbox<ConnectionState> = Inbox(),
    _ shape: (inout SubscriberSettings) -> Void = { _ in }
  ) async throws -> Confined<ResilientSubscriber> {
    var settings = SubscriberSettings(name: "s", endpoint: server.endpoint, channels: [Script.room])
    settings.transport = transport
    settings.backoff = Script.backoff
    shape(&settings)
    let subscriber = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { [settings] loop in
      ResilientSubscriber(settings, on: loop)
    }
    try await subscriber.use { subscriber in
      subscriber.onState = { states.append($0) }
      subscriber.start()
    }
    return subscriber
  }

  private func ready(_ subscriber: Confined<ResilientSubscriber>) async throws {
    _ = try await eventually("a subscription") { try await subscriber.use { $0.isReady } ? true : nil }
  }

  /// How long it will wait: nobody has to wait for that.
  private func wait(_ states: Inbox<ConnectionState>) async throws -> TimeAmount {
    try await states.first("a wait") { if case .waiting(let wait, _) = $0 { wait } else { nil } }
  }

  /// What no time is, or none that a number holds, leaves it at the three seconds of before.
  @Test(
    arguments: [
      ("0", .zero), ("1500", .milliseconds(1_500)), ("60000", .minutes(1)), ("60001", .minutes(1)),
      ("9223372036854775807", .minutes(1)), ("9223372036854775808", .seconds(3)), ("-1", .seconds(3)),
      ("NaN", .seconds(3)), ("1e9", .seconds(3)), ("", .seconds(3)),
    ] as [(String, TimeAmount)]
  )
  func aStreamKeepsNobodyAwayForLongerThanAMinute(_ text: String, _ retry: TimeAmount) async throws {
    try await ScriptedServer.run { server in
      let states = Inbox<ConnectionState>()
      let subscriber = try await subscriber(server, .eventStream, tells: states)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      let stream =
        "retry: \(text)\n\n" + Script.sse("welcome", "room:a@aaaaaaaa.4", Script.welcome("one"))
      peer.say(Script.answer("200 OK", stream, headers: "Content-Type: text/event-stream\r\n"))
      #expect(try await wait(states) == max(retry, Script.backoff.floor))
      #expect(try await subscriber.use { $0.retry } == retry)
      try await subscriber.use { $0.stop() }
    }
  }

  /// A stream may ask for as much patience as the client has with everything else.
  @Test func aStreamIsGivenWhatTheCeilingAllows() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .eventStream) { $0.backoff.ceiling = .minutes(5) }
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(
        Script.streamHead + "retry: 9223372036854775807\n\n"
          + Script.sse("welcome", "room:a@aaaaaaaa.4", Script.welcome("one"))
      )
      try await ready(subscriber)
      #expect(try await subscriber.use { $0.retry } == .minutes(5))
      try await subscriber.use { $0.stop() }
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("5", 5), ("3600", 3_600), ("3601", 3_600), ("9223372036854775807", 3_600), ("-1", 0),
      ("-9223372036854775808", 0), ("9223372036854775808", nil), ("", nil), ("NaN", nil), ("inf", nil),
      ("1.5", nil), ("1e3", nil), ("Wed, 21 Oct 2026 07:28:00 GMT", nil),
    ] as [(String, Int64?)]
  )
  func aRetryAfterIsAnHourAtTheMost(_ text: String, _ seconds: Int64?) {
    let response = HTTPResponse(status: .serviceUnavailable, headers: ["Retry-After": text])
    #expect(response.retryAfter == seconds.map { TimeAmount.seconds($0) })
  }

  @Test(
    arguments: [SubscriberTransport.webSocket, .eventStream, .longPoll, .shortPoll],
    ["9223372036854775807", "3600"]
  )
  func aRefusalKeepsNobodyAwayForLongerThanTheCeiling(
    _ transport: SubscriberTransport,
    _ text: String
  ) async throws {
    try await ScriptedServer.run { server in
      let states = Inbox<ConnectionState>()
      let subscriber = try await subscriber(server, transport, tells: states)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(Script.answer("503 Service Unavailable", headers: "Retry-After: \(text)\r\n"))
      #expect(try await wait(states) == Script.backoff.ceiling)
      try await subscriber.use { $0.stop() }
    }
  }

  @Test(arguments: ["-9223372036854775808", "-1", "NaN", ""])
  func aRefusalShortensNoWait(_ text: String) async throws {
    try await ScriptedServer.run { server in
      let states = Inbox<ConnectionState>()
      let subscriber = try await subscriber(server, .webSocket, tells: states) {
        $0.backoff.floor = .milliseconds(700)
        $0.backoff.base = .zero
      }
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(Script.answer("503 Service Unavailable", headers: "Retry-After: \(text)\r\n"))
      #expect(try await wait(states) == .milliseconds(700))
      try await subscriber.use { $0.stop() }
    }
  }

  /// A channel that cannot be subscribed yet is asked for again within the ceiling, and not at once.
  @Test(arguments: [Int.max, 3_600_000, -1, Int.min])
  func aRefusedChannelIsAskedForAgain(_ milliseconds: Int) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket) { $0.backoff.ceiling = .milliseconds(20) }
      let peer = try await server.peer(0)
      _ = try await peer.acceptWebSocket()
      _ = try await peer.command()
      peer.sayText(Script.json(.error(id: 1, ClientError(.unavailable, "", retryAfterMS: milliseconds))))
      let again = ClientCommand.subscribe(channel: Script.room, since: nil, presence: nil)
      #expect(try await peer.command().command == again)
      peer.sayText(Script.subscribed(4))
      try await ready(subscriber)
      try await subscriber.use { $0.stop() }
    }
  }

  /// Whoever is sent away at a time that has been goes at once.
  @Test(arguments: [0, -1, Int.min])
  func whoIsSentAwayIsBackAtOnce(_ milliseconds: Int) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let first = try await server.socket()
      try await ready(subscriber)
      first.sayText(Script.json(.goaway(reason: "drain", reconnectAfterMS: milliseconds)))
      let second = try await server.peer(1)
      _ = try await second.acceptWebSocket()
      #expect(!first.isEnded)
      second.sayText(Script.welcome("two"))
      _ = try await second.command()
      second.sayText(Script.subscribed(4, resumed: true))
      _ = try await eventually("another node") {
        try await subscriber.use { $0.node } == "two" ? true : nil
      }
      try await subscriber.use { $0.stop() }
    }
  }

  /// Whoever is sent away at some far time, and loses the connection before, comes back as after any loss.
  @Test(arguments: [Int.max, 3_600_000])
  func aGoodbyeForLaterKeepsNobodyAwayAfterALoss(_ milliseconds: Int) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .webSocket)
      let first = try await server.socket()
      try await ready(subscriber)
      first.sayText(Script.json(.goaway(reason: "drain", reconnectAfterMS: milliseconds)))
      // The goodbye was heard before the end.
      _ = try await eventually("a dial") { try await subscriber.use { $0.dial != nil } ? true : nil }
      first.close()
      _ = try await server.peer(1).acceptWebSocket()
      try await subscriber.use { $0.stop() }
    }
  }

  /// A stream tells the time in `retry:` too, which is what counts.
  @Test(arguments: [Int.max, Int.min])
  func aStreamThatSaysGoodbyeIsBackWhenItSaid(_ milliseconds: Int) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .eventStream)
      let first = try await server.peer(0)
      _ = try await first.request()
      first.say(
        Script.streamHead + Script.sse("welcome", "room:a@aaaaaaaa.4", Script.welcome("one"))
          + Script.sse(
            "goaway",
            "room:a@aaaaaaaa.4",
            Script.json(.goaway(reason: "drain", reconnectAfterMS: milliseconds))
          ) + "retry: 1\n\n"
      )
      try await ready(subscriber)
      first.close()
      #expect(try await server.peer(1).request().line.contains("/v1/stream"))
      try await subscriber.use { $0.stop() }
    }
  }

  /// Short polls go on within some seconds where the node's hint is none.
  @Test(arguments: ["-9223372036854775808", "0", "NaN", "99999999999999999999"])
  func aHintThatIsNoneEndsNoPolls(_ text: String) async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, .shortPoll)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(Script.poll(4, headers: "X-Poll-Interval: \(text)\r\n"))
      #expect(try await peer.request().line.contains("since=room:a@aaaaaaaa.4"))
      try await subscriber.use { $0.stop() }
    }
  }
}
