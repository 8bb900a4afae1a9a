import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Tokens that run out, and are replaced.
  @Suite struct TokenLifeTests {
    private func bearer(_ token: String) -> HTTPHeaders { ["Authorization": "Bearer \(token)"] }

    @Test func aRefreshLosesNothing() async throws {
      try await DoorKeys.withNode { node in
        let socket = try await Socket(
          to: node.endpoint,
          headers: bearer(try await DoorKeys.token(lasting: 10))
        )
        _ = try await socket.welcome()
        try await socket.subscribe("room:a", id: 1)
        try await socket.subscribe("room:b", id: 2)
        let room = try #require(ChannelName("room:a"))
        let count = 200
        async let published: Void = {
          for number in 1...count {
            _ = try await HTTP.publish(["\(number)"], toAll: [room], by: node.backends)
          }
        }()
        for round in 1...5 {
          let token = try await DoorKeys.token(lasting: Double(10 + round))
          socket.send(Int64(100 + round), .token(token))
          let expires = try await socket.event("refreshed") { event -> Int64?? in
            if case .refreshed(Int64(100 + round), let expires) = event { .some(expires) } else { nil }
          }
          #expect(expires.map { $0 > WallClock.milliseconds() / 1_000 } == true)
        }
        try await published
        try await socket.message("\(count)")
        let numbers = socket.events.compactMap { event -> String? in
          if case .message(_, _, let data, _, _) = event { String(buffer: data) } else { nil }
        }
        #expect(numbers == (1...count).map(String.init))
        // One that grants less ends what it does not grant, and nothing else.
        socket.send(7, .token(try await DoorKeys.token(subscribe: ["room:a"])))
        let ended = try await socket.event("unsubscribed") {
          if case .unsubscribed(nil, let channel) = $0 { channel } else { nil }
        }
        #expect(ended.text == "room:b")
        _ = try await HTTP.publish(["\"still\""], toAll: [room], by: node.backends)
        try await socket.message("\"still\"")
        // Another user's is no refresh, and a bad one changes nothing.
        socket.send(8, .token(try await DoorKeys.token("eve")))
        #expect(try await socket.error(8).code == .unauthorized)
        socket.send(9, .token("a.b.c"))
        #expect(try await socket.error(9).code == .unauthorized)
        #expect(!socket.isClosed)
        socket.abort()
      }
    }

    @Test func whatRunsOutIsClosed() async throws {
      try await DoorKeys.withNode { node in
        let socket = try await Socket(
          to: node.endpoint,
          headers: bearer(try await DoorKeys.token(lasting: 4))
        )
        try await socket.subscribe("room:a")
        let token = try await DoorKeys.token(lasting: 4)
        let stream = try await Stream(to: node.endpoint, "channels=room:a&token=\(token)")
        _ = try await stream.event("welcome")
        let start = ContinuousClock.now
        let poll = try await HTTP.poll(node.endpoint, "room:a", "wait=20", headers: bearer(token))
        #expect(poll.status == .ok)
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(try await socket.error().code == .tokenExpired)
        #expect(try await socket.closeCode() == 4004)
        guard case .error(nil, let error) = try await stream.event("error").content else {
          Issue.record("no error")
          return
        }
        #expect(error.code == .tokenExpired)
        _ = try await stream.closure()
        for path in ["/v1/stream?channels=room:a", "/v1/poll?channels=room:a&wait=1"] {
          let answer = try await HTTP.get(node.endpoint, path, headers: bearer(token))
          #expect(answer.status == .unauthorized && answer.problem == "token_expired")
        }
      }
    }

    @Test func noTokenIsInALog() async throws {
      let cluster = try await ClusterTests.cluster()
      let mark = "s3cret\(UInt64.random(in: .min ... .max))"
      let good = try await DoorKeys.token()
      let signature = try #require(good.split(separator: ".").last)
      let tokens = ["eyJhbGciOiJIUzI1NiJ9.\(mark).\(mark)", good]
      try await DoorKeys.withNode("--log-level", "trace") { node in
        for token in tokens {
          try await ask(node.endpoint, with: token)
          try await ask(cluster.nginx, with: token)
          let socket = try await Socket(
            to: node.endpoint,
            headers: ["Sec-WebSocket-Protocol": "bearer.\(token)", "Origin": "http://elsewhere.example"]
          )
          _ = try await socket.closure()
        }
      }
      // A proxy whose nodes are away has more to say.
      for name in Cluster.nodeNames { try await cluster.kill9(name) }
      let away = "away\(UInt32.random(in: .min ... .max))"
      for token in tokens {
        let answer = try await HTTP.get(
          cluster.nginx,
          "/v1/channels/\(away)/messages?token=\(token)",
          headers: bearer(token)
        )
        #expect([.badGateway, .serviceUnavailable].contains(answer.status))
      }
      let log = { (name: String) in
        try String(contentsOfFile: "\(cluster.directory)/logs/\(name).log", encoding: .utf8)
      }
      // What failed is in nginx's log within a second.
      try await eventually("the log of what failed") { try log("nginx").contains(away) }
      for name in Cluster.names + ["lone"] {
        let text = try log(name)
        #expect(!text.isEmpty, "nothing in the log of \(name)")
        #expect(!text.contains(mark), "in the log of \(name)")
        #expect(!text.contains(signature), "in the log of \(name)")
      }
    }

    private func ask(_ endpoint: Endpoint, with token: String) async throws {
      for path in [
        "/v1/socket?", "/v1/poll?channels=room:a&wait=0&", "/v1/channels/room:a/messages?", "/x?",
      ] {
        _ = try await HTTP.get(endpoint, "\(path)token=\(token)", headers: bearer(token))
      }
      let stream = try await Stream(to: endpoint, "channels=room:a&token=\(token)", headers: bearer(token))
      try await eventually("an answer to a stream") { !stream.arrivals.all.isEmpty }
      stream.abort()
    }
  }
}
