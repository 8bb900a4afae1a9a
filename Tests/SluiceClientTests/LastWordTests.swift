import NIOCore
import NIOHTTP1
import NIOPosix
import Testing
import Wire

@testable import SluiceClient

/// Streams that say why they end.
@Suite struct LastWordTests {
  private func running(
    _ server: ScriptedServer,
    tells states: Inbox<ConnectionState>,
    renews renewals: Inbox<Bool> = Inbox()
  ) async throws -> Confined<ResilientSubscriber> {
    var settings = SubscriberSettings(name: "s", endpoint: server.endpoint, channels: [Script.room])
    settings.transport = .eventStream
    settings.fallbacks = [.longPoll]
    settings.backoff = Script.backoff
    let subscriber = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { [settings] loop in
      ResilientSubscriber(settings, on: loop)
    }
    try await subscriber.use { subscriber in
      subscriber.onState = { states.append($0) }
      subscriber.onUnauthorized = { renewals.append(true) }
      subscriber.start()
    }
    return subscriber
  }

  private func refuse(_ peer: ScriptedServer.Peer, _ code: ErrorCode) {
    let error = Script.json(.error(id: nil, ClientError(code, "so it is", retryAfterMS: 1)))
    let stream = "retry: 1\n\nevent: error\ndata: \(error)\n\n"
    peer.say(Script.answer("200 OK", stream, headers: "Content-Type: text/event-stream\r\n"))
  }

  /// However often it is told so, the transport is not to blame.
  @Test(arguments: [ErrorCode.overloaded, .rateLimited, .draining, .unavailable])
  func whoFindsNoRoomComesBackTheSameWay(_ code: ErrorCode) async throws {
    try await ScriptedServer.run { server in
      let states = Inbox<ConnectionState>()
      let subscriber = try await running(server, tells: states)
      for number in 0...TransportLadder.patience + 1 {
        let peer = try await server.peer(number)
        #expect(try await peer.request().line.contains("/v1/stream"))
        refuse(peer, code)
      }
      let reason = try await states.first("a wait") {
        if case .waiting(_, let reason) = $0 { reason } else { nil }
      }
      #expect(reason == "refused: \(code.rawValue): so it is")
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func whatIsForbiddenIsOver() async throws {
    try await ScriptedServer.run { server in
      let states = Inbox<ConnectionState>()
      let subscriber = try await running(server, tells: states)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      refuse(peer, .forbidden)
      let reason = try await states.first("the end") {
        if case .ended(let reason) = $0 { reason } else { nil }
      }
      #expect(reason == "refused: forbidden: so it is")
      try await subscriber.use { $0.stop() }
    }
  }

  @Test func aTokenThatRanOutIsRenewedAtOnce() async throws {
    try await ScriptedServer.run { server in
      let renewals = Inbox<Bool>()
      let subscriber = try await running(server, tells: Inbox(), renews: renewals)
      let peer = try await server.peer(0)
      _ = try await peer.request()
      refuse(peer, .tokenExpired)
      _ = try await renewals.first("a renewal") { $0 }
      try await subscriber.use { $0.authorize(["Authorization": "Bearer new"]) }
      #expect(try await server.peer(1).request().head.contains("Bearer new"))
      try await subscriber.use { $0.stop() }
    }
  }
}
