import NIOCore
import NIOPosix
import Testing
import Wire

@testable import SluiceClient

@Suite struct FallbackTests {
  private func subscriber(
    _ server: ScriptedServer,
    _ transports: [SubscriberTransport],
    climbAfter: TimeAmount = .minutes(1)
  ) async throws -> Confined<ResilientSubscriber> {
    var settings = SubscriberSettings(name: "s", endpoint: server.endpoint, channels: [Script.room])
    settings.transport = transports[0]
    settings.fallbacks = Array(transports.dropFirst())
    settings.backoff = Script.backoff
    settings.climbAfter = climbAfter
    let subscriber = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { [settings] loop in
      ResilientSubscriber(settings, on: loop)
    }
    try await subscriber.use { $0.start() }
    return subscriber
  }

  private func ready(_ subscriber: Confined<ResilientSubscriber>) async throws {
    _ = try await eventually("a subscription") { try await subscriber.use { $0.isReady } ? true : nil }
  }

  private static let all: [SubscriberTransport] = [.webSocket, .eventStream, .longPoll, .shortPoll]

  @Test func triesInOrderAndKeepsWhatWorked() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, Self.all)
      let first = try await server.peer(0)
      #expect(try await first.request().line.contains("/v1/socket"))
      first.say(Script.answer("400 Bad Request", "no upgrades here"))
      let second = try await server.peer(1)
      #expect(try await second.request().line.contains("/v1/stream"))
      second.say(Script.answer("404 Not Found", "no such page"))
      let third = try await server.peer(2)
      #expect(try await third.request().line.contains("/v1/poll"))
      third.close()
      let fourth = try await server.peer(3)
      #expect(try await fourth.request().line.contains("wait=0"))
      fourth.say(Script.poll(4, headers: "X-Poll-Interval: 1\r\n"))
      try await ready(subscriber)
      #expect(try await subscriber.use { $0.transport } == .shortPoll)
      _ = try await fourth.request()
      fourth.close()

      let fifth = try await server.peer(4)
      #expect(try await fifth.request().line.contains("since=room:a@aaaaaaaa.4&wait=0"))
      fifth.say(Script.poll(4, headers: "X-Poll-Interval: 1\r\n"))
      #expect(try await fifth.request().head.contains("If-None-Match"))
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func climbsBackBesideTheConnectionThatWorks() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(
        server,
        [.webSocket, .eventStream],
        climbAfter: .milliseconds(30)
      )
      let refused = try await server.peer(0)
      _ = try await refused.request()
      refused.say(Script.answer("426 Upgrade Required"))
      let stream = try await server.peer(1)
      _ = try await stream.request()
      stream.say(Script.streamHead + Script.sse("welcome", "room:a@aaaaaaaa.4", Script.welcome("one")))
      // The first time it is in vain.
      let vain = try await server.peer(2)
      #expect(try await vain.request().line.contains("/v1/socket"))
      vain.close()
      stream.say(Script.sse(nil, "room:a@aaaaaaaa.5", Script.message(5)))
      let socket = try await server.peer(3)
      _ = try await socket.acceptWebSocket()
      #expect(!stream.isEnded)
      socket.sayText(Script.welcome("two"))
      let wish = ClientCommand.subscribe(
        channel: Script.room,
        since: .cursor(Script.cursor(5)),
        presence: nil
      )
      #expect(try await socket.command().command == wish)
      socket.sayText(Script.subscribed(5, resumed: true))
      _ = try await eventually("the end of the stream") { stream.isEnded ? true : nil }
      socket.sayText(Script.message(6))
      _ = try await eventually("message 6") {
        try await subscriber.use { $0.position(at: 0) } == Script.cursor(6) ? true : nil
      }
      #expect(try await subscriber.use { $0.transport } == .webSocket)
      #expect(server.peerCount == 4)
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func whatIsSwitchedOffIsNeverTriedAgain() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(
        server,
        [.webSocket, .eventStream, .longPoll],
        climbAfter: .milliseconds(5)
      )
      let socket = try await server.peer(0)
      _ = try await socket.request()
      socket.say(Script.problem("403 Forbidden", .transportDisabled))
      let stream = try await server.peer(1)
      _ = try await stream.request()
      stream.say(Script.answer("500 Internal Server Error"))
      let poll = try await server.peer(2)
      _ = try await poll.request()
      poll.say(Script.poll(4))
      // Only the stream is tried again.
      for number in 3...5 {
        let trial = try await server.peer(number)
        #expect(try await trial.request().line.contains("/v1/stream"))
        trial.say(Script.answer("500 Internal Server Error"))
      }
      #expect(try await subscriber.use { $0.ladder.rungs } == [.eventStream, .longPoll])
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func givesUpWhenEverythingIsSwitchedOff() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, [.webSocket, .eventStream])
      for number in 0...1 {
        let peer = try await server.peer(number)
        _ = try await peer.request()
        peer.say(Script.problem("403 Forbidden", .transportDisabled))
      }
      let reason = try await eventually("the end") { try await subscriber.use { $0.givenUp } }
      #expect(reason.contains("transport_disabled"))
    }
  }

  @Test func aNodeThatSaysNoIsBelieved() async throws {
    try await ScriptedServer.run { server in
      let subscriber = try await subscriber(server, Self.all)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(Script.problem("403 Forbidden", .forbidden))
      let reason = try await eventually("the end") { try await subscriber.use { $0.givenUp } }
      #expect(reason.contains("so it is"))
      #expect(server.peerCount == 1)
    }
  }

  @Test func threeFailedOpeningsSpeakAgainstATransport() {
    var ladder = TransportLadder([.webSocket, .eventStream, .longPoll])
    let answers = (1...TransportLadder.patience).map { _ in ladder.failed() }
    #expect(answers == [false, false, true])
    let isRound = ladder.stepDown()
    #expect(!isRound)
    #expect(ladder.current == .eventStream)
    #expect(ladder.better == [.webSocket])
  }

  @Test func twoShortLivesInTurnSpeakAgainstATransport() {
    var ladder = TransportLadder([.webSocket, .eventStream])
    ladder.worked(.webSocket)
    let lives: [TimeAmount] = [.seconds(1), .minutes(1), .seconds(1), .seconds(1)]
    let answers = lives.map { ladder.lost(after: $0) }
    #expect(answers == [false, false, false, true])
    let rounds = [ladder.stepDown(), ladder.stepDown()]
    #expect(rounds == [false, true])
    #expect(ladder.current == .webSocket)
  }

  @Test func theLastTransportIsNotStruck() {
    var ladder = TransportLadder([.webSocket, .eventStream])
    let isLeft = ladder.strike(.webSocket)
    #expect(isLeft && ladder.current == .eventStream)
    let isStillLeft = ladder.strike(.eventStream)
    #expect(!isStillLeft)
  }
}
