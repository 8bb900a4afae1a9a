import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// A node obeys the backend that decides, in every kind of question and on every transport.
  @Suite(.webhook) struct WebhookDoorTests {
    private func scene() throws -> WebhookScene {
      try #require(WebhookScene.current, "outside of the suite there is no backend")
    }

    private func socket(_ user: String, headers: HTTPHeaders = [:]) async throws -> Socket {
      let scene = try scene()
      var all = try await scene.bearer(user)
      all.add(contentsOf: headers)
      return try await Socket(to: scene.node.endpoint, headers: all)
    }

    private func get(_ path: String, by user: String) async throws -> HTTPResponse {
      let scene = try scene()
      return try await HTTP.get(scene.node.endpoint, path, headers: try await scene.bearer(user))
    }

    private func publish(_ data: String, to channel: String, by user: String) async throws -> HTTPResponse {
      let scene = try scene()
      let request = HTTPRequest(
        .POST,
        "/v1/channels/\(channel)/messages",
        headers: try await scene.bearer(user),
        body: ByteBuffer(string: data)
      )
      return try await HTTP.send(request, to: scene.node.endpoint)
    }

    /// The status of a handshake that was refused.
    private func refusal(of socket: Socket) async throws -> Int? {
      if case .refused(let answer) = try await socket.closure() { answer.status } else { nil }
    }

    @Test func whoMayNotConnectDoesNotOnAnyTransport() async throws {
      let scene = try scene()
      #expect(try await refusal(of: try await socket("barred")) == 403)
      for path in ["stream?channels=room:a", "poll?channels=room:a&wait=5", "poll?channels=room:a&wait=0"] {
        let answer = try await get("/v1/\(path)", by: "barred")
        #expect(answer.status == .forbidden && answer.problem == "forbidden", "\(path)")
        #expect(answer.text.contains("not with us"))
      }
      // A page sees nothing of a handshake that fails.
      let page = try await socket("barred", headers: ["Origin": scene.node.endpoint.url])
      #expect(try await page.error() == ClientError(.forbidden, "not with us"))
      #expect(try await page.closeCode() == 4003)
      // Nor does it read or publish without a connection.
      for path in ["messages", "presence"] {
        #expect(try await get("/v1/channels/room:a/\(path)", by: "barred").status == .forbidden, "\(path)")
      }
      #expect(try await publish("1", to: "room:a", by: "barred").status == .forbidden)
      let connects = scene.asked(about: "barred")
      let transports = ["websocket", "sse", "long-poll", "short-poll", "rest"]
      #expect(Set(connects) == Set(transports.map { "connect \($0)" }))
      #expect(connects.count == 8)
    }

    @Test func whoMayNotSubscribeReadsNothingOnAnyTransport() async throws {
      let socket = try await socket("reader")
      _ = try await socket.welcome()
      let barred = try #require(ChannelName("room:barred"))
      socket.send(1, .subscribe(channel: barred, since: nil, presence: nil))
      socket.send(2, .history(channel: barred, range: .newest, limit: nil))
      socket.send(3, .presence(channel: barred, limit: nil, after: nil))
      for id in 1...3 {
        #expect(try await socket.error(Int64(id)) == ClientError(.forbidden, "not with us"))
      }
      // That is no mistake of the protocol, and others are not meant.
      try await socket.subscribe("room:open", id: 4)
      #expect(!socket.isClosed)
      socket.abort()
      for path in [
        "stream?channels=room:open,room:barred", "poll?channels=room:barred,room:open&wait=5",
        "poll?channels=room:barred&wait=0", "channels/room:barred/messages", "channels/room:barred/presence",
      ] {
        let answer = try await get("/v1/\(path)", by: "reader")
        #expect(answer.status == .forbidden && answer.problem == "forbidden", "\(path)")
      }
      let asked = Set(try scene().asked(about: "reader"))
      for transport in ["websocket", "sse", "long-poll", "short-poll", "rest"] {
        #expect(asked.contains("subscribe \(transport) room:barred"))
      }
    }

    @Test func whoMayNotPublishDoesNotOnAnyTransport() async throws {
      let scene = try scene()
      let socket = try await socket("writer")
      let barred = try #require(ChannelName("room:barred"))
      socket.send(1, .publish(channel: barred, data: ByteBuffer(string: "1"), key: nil))
      #expect(try await socket.error(1) == ClientError(.forbidden, "not with us"))
      let answer = try await publish("2", to: "room:barred", by: "writer")
      #expect(answer.status == .forbidden && answer.problem == "forbidden")
      #expect(answer.text.contains("not with us"))
      socket.abort()
      // An operator's publish is nobody's question, and shows that nothing else came before it.
      let published = try await HTTP.publish(["\"first\""], toAll: [barred], by: scene.node.backends)
      #expect(published.first?.cursor.offset == 1)
      #expect(
        scene.asked(about: "writer").filter { $0.hasPrefix("publish") } == [
          "publish websocket room:barred", "publish rest room:barred",
        ]
      )
      let denied = try await Metrics.value("sluice_webhook_denied_total", of: scene.node.backends)
      #expect(denied >= 2)
    }

    @Test func whatThePublishersBackendWritesIsPublished() async throws {
      let reader = try await socket("reader")
      try await reader.subscribe("room:edited")
      let writer = try await socket("writer")
      let edited = try #require(ChannelName("room:edited"))
      writer.send(1, .publish(channel: edited, data: ByteBuffer(string: #"{"text":"rude"}"#), key: nil))
      _ = try await writer.event("published") {
        if case .published(1, edited, _) = $0 { true } else { nil }
      }
      #expect(try await publish(#"{"text":"ruder"}"#, to: "room:edited", by: "writer").status == .created)
      let texts = try await eventually("both messages") {
        let texts = reader.events.compactMap { event -> String? in
          if case .message(_, _, let data, "writer", _) = event { String(buffer: data) } else { nil }
        }
        return texts.count >= 2 ? texts : nil
      }
      #expect(texts == [#"{"text":"clean"}"#, #"{"text":"clean"}"#])
      let history = try await get("/v1/channels/room:edited/messages", by: "reader")
      #expect(!history.text.contains("rude"))
      reader.abort()
      writer.abort()
    }

    @Test func whoOneIsAndWhatOneMayIsTheBackendsToSay() async throws {
      let socket = try await socket("renamed")
      let user = try await socket.event("welcome") {
        if case .welcome(_, _, let user, _) = $0 { user } else { nil }
      }
      #expect(user == "ada")
      // Its rights are those alone, whatever its token says.
      let (other, granted) = try (#require(ChannelName("room:a")), #require(ChannelName("room:granted")))
      socket.send(1, .subscribe(channel: other, since: nil, presence: nil))
      #expect(try await socket.error(1).code == .forbidden)
      socket.send(2, .publish(channel: other, data: ByteBuffer(string: "1"), key: nil))
      #expect(try await socket.error(2).code == .forbidden)
      try await socket.subscribe("room:granted", presence: .join, id: 3)
      let member = try await socket.event("its own coming") {
        if case .join(granted, let member) = $0 { member } else { nil }
      }
      #expect(member.user == "ada" && member.info == ByteBuffer(string: #"{"name":"Ada"}"#))
      // A stream and a poll are whoever the backend says, too.
      let stream = try await Stream(
        to: try scene().node.endpoint,
        "channels=room:granted",
        headers: try await scene().bearer("renamed")
      )
      guard case .welcome(_, _, let streams, _) = try await stream.event("welcome").content else {
        Issue.record("no welcome")
        return
      }
      #expect(streams == "ada")
      #expect(try await get("/v1/poll?channels=room:granted&wait=0", by: "renamed").status == .ok)
      for path in ["stream?channels=room:a", "poll?channels=room:a&wait=0", "channels/room:a/messages"] {
        #expect(try await get("/v1/\(path)", by: "renamed").status == .forbidden, "\(path)")
      }
      #expect(try await publish("1", to: "room:a", by: "renamed").status == .forbidden)
      #expect(try await publish("\"hello\"", to: "room:granted", by: "renamed").status == .created)
      socket.send(4, .publish(channel: granted, data: ByteBuffer(string: "\"hi\""), key: nil))
      for data in ["\"hello\"", "\"hi\""] {
        let sender = try await socket.event("the message \(data)") { event -> String?? in
          if case .message(granted, _, ByteBuffer(string: data), let user, _) = event {
            .some(user)
          } else {
            nil
          }
        }
        #expect(sender == "ada")
      }
      stream.abort()
      socket.abort()
    }

    @Test func aNewTokenIsAskedAboutAgain() async throws {
      let scene = try scene()
      let socket = try await socket("turncoat")
      try await socket.subscribe("room:a")
      socket.send(2, .token(try await DoorKeys.token("turncoat")))
      #expect(try await socket.error(2) == ClientError(.forbidden, "no more"))
      #expect(scene.asked(about: "turncoat").count { $0 == "connect websocket" } == 2)
      // It goes on as it was.
      #expect(
        try await HTTP.publish(["1"], toAll: [try #require(ChannelName("room:a"))], by: scene.node.backends)
          .count == 1
      )
      try await socket.message("1")
      #expect(!socket.isClosed)
      socket.abort()
    }

    @Test func aSilentBackendDecidesNothingExceptWhereThatIsWanted() async throws {
      let scene = try scene()
      let socket = try await socket("steady")
      _ = try await socket.welcome()
      try await scene.whileSilent {
        // Subscribing goes on: it fails open.
        try await socket.subscribe("room:lost", id: 1)
        let lost = try #require(ChannelName("room:lost"))
        socket.send(2, .publish(channel: lost, data: ByteBuffer(string: "1"), key: nil))
        #expect(try await socket.error(2).code == .unavailable)
        let published = try await publish("1", to: "room:lost", by: "steady")
        #expect(published.status == .serviceUnavailable && published.problem == "unavailable")
        #expect(published.headers.contains(name: "Retry-After"))
        #expect(try await refusal(of: try await self.socket("lost")) == 503)
        for path in ["poll?channels=room:a&wait=5", "poll?channels=room:a&wait=0"] {
          let answer = try await get("/v1/\(path)", by: "lost")
          #expect(answer.status == .serviceUnavailable, "\(path)")
          #expect(answer.headers.contains(name: "Retry-After"), "\(path)")
        }
        // An EventSource would take any other status for final.
        let stream = try await get("/v1/stream?channels=room:a", by: "lost")
        #expect(stream.status == .ok && stream.text.hasPrefix("retry:") && !stream.text.contains("welcome"))
      }
      #expect(try await Metrics.value("sluice_webhook_failed_total", of: scene.node.backends) > 0)
      // Whoever comes once it answers is let in, after the breaker's pause.
      try await eventually("an answer again", every: .milliseconds(100)) {
        try await publish("2", to: "room:lost", by: "steady").status == .created
      }
      try await socket.message("2")
      socket.abort()
    }
  }
}
