import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Transports that a node does not offer.
  @Suite struct TransportSwitchTests {
    private func expectRefusal(_ response: HTTPResponse, _ name: String, offered: String) {
      #expect(response.status == .forbidden && response.problem == "transport_disabled", "\(name)")
      let detail = response.object?["detail"]?.string ?? ""
      #expect(detail.contains(name) && detail.contains(offered), "\(detail)")
    }

    @Test func eachIsRefusedByNameWhenItIsSwitchedOff() async throws {
      try await LoneNode.run(["--transports", "rest"]) { node in
        for (path, name) in [
          ("/v1/stream?channels=room:a", "sse"), ("/v1/poll?channels=room:a", "long-poll"),
          ("/v1/poll?channels=room:a&wait=0", "short-poll"),
        ] {
          expectRefusal(try await HTTP.get(node.endpoint, path), name, offered: "rest")
        }
        let socket = try await Socket(to: node.endpoint)
        guard case .refused(let answer) = try await socket.closure() else {
          Issue.record("a WebSocket was taken")
          return
        }
        let response = HTTPResponse(
          status: .init(statusCode: answer.status),
          headers: answer.headers,
          body: answer.body
        )
        expectRefusal(response, "websocket", offered: "rest")
        #expect(try await HTTP.publish("room:a", "1", to: node.endpoint).status == .created)
      }
    }

    @Test func withoutRequestsThereAreStillConnections() async throws {
      try await LoneNode.run(["--transports", "websocket,sse"]) { node in
        let publish = try await HTTP.publish("room:a", "1", to: node.endpoint)
        expectRefusal(publish, "rest", offered: "websocket")
        for path in ["messages", "presence"] {
          let response = try await HTTP.get(node.endpoint, "/v1/channels/room:a/\(path)")
          expectRefusal(response, "rest", offered: "websocket")
        }
        let socket = try await Socket(to: node.endpoint)
        try await socket.subscribe("room:a")
        let channel = try #require(ChannelName("room:a"))
        socket.send(2, .publish(channel: channel, data: ByteBuffer(string: "2"), key: nil))
        try await socket.message("2")
        socket.abort()
      }
    }

    @Test(arguments: [
      ("sse", SubscriberTransport.eventStream), ("long-poll", .longPoll), ("short-poll", .shortPoll),
    ])
    func aClientFindsWhatIsLeft(_ name: String, _ transport: SubscriberTransport) async throws {
      try await LoneNode.run(["--transports", "\(name),rest"]) { node in
        let sluice = try Sluice("http://127.0.0.1:\(node.endpoint.port)")
        var states = sluice.connections.makeAsyncIterator()
        var events = sluice.subscribe("room:a").makeAsyncIterator()
        // Long polls begin with a short one, and so may seem to work for a moment.
        while let state = await states.next() {
          if case .connected(transport, _) = state { break }
        }
        let cursor = try await sluice.publish("room:a", json: "1")
        guard case .message(let message)? = try await events.next() else {
          Issue.record("no message")
          return
        }
        #expect(message.json == "1" && message.cursor == cursor)
        #expect(try await sluice.history("room:a").messages.map(\.json) == ["1"])
        sluice.close()
      }
    }
  }
}
