import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Each limit as a setting: what who is over it is told, and where it counts. What takes a flood is shown in
  /// `FloodTests`, and what takes a cluster in `UserLimitTests`.
  @Suite(.limits) struct LimitTests {
    private func scene() throws -> LimitScene {
      try #require(LimitScene.current, "outside of the suite there is no node")
    }

    private func answer(_ request: String) async throws -> String {
      let connection = try await RawConnection(to: try scene().endpoint)
      connection.send(request)
      return try await connection.textToTheEnd()
    }

    /// Frames of these texts, to be sent in one piece.
    private func frames(_ texts: some Sequence<String>) -> [UInt8] {
      texts.flatMap { Attack.frame(0x81, Array($0.utf8)) }
    }

    @Test func requestsHaveSizes() async throws {
      let scene = try scene()
      let large = String(repeating: "a", count: 6_000)
      let fields = (1...3).map { "X\($0): \(large)\r\n" }.joined()
      try await scene.counts("head_size", 2) {
        for fields in [fields, (1...16).map { "X\($0): a\r\n" }.joined()] {
          let answer = try await answer("GET /healthz HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
          #expect(answer.hasPrefix("HTTP/1.1 431 ") && answer.contains("too_large"), "\(answer)")
        }
      }
      try await scene.counts("target_size") {
        let answer = try await answer("GET /\(large)\(large) HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 414 ") && answer.contains("too_large"), "\(answer)")
      }
      try await scene.counts("body_size") {
        let refused = try await HTTP.publish("big:a", "\"\(large)\"", to: scene.endpoint)
        #expect(refused.status == .payloadTooLarge && refused.problem == "too_large")
      }
      let data = "\"\(large.prefix(2_000))\""
      #expect(try await HTTP.publish("big:a", data, to: scene.endpoint).status == .created)
      try await scene.counts("message_size") {
        let refused = try await HTTP.publish("a", data, to: scene.endpoint)
        #expect(refused.status == .payloadTooLarge && refused.problem == "too_large")
      }
      // Backends are told the same.
      try await scene.counts("message_size") {
        let body = ByteBuffer(string: "{\"publications\":[{\"channels\":[\"a\"],\"data\":\(data)}]}")
        let request = HTTPRequest(.POST, "/v1/publish", body: body)
        let answer = try await HTTP.send(request, to: scene.node.backends)
        #expect(answer.status == .ok && answer.text.contains(#""code":"too_large""#), "\(answer.text)")
      }
    }

    @Test func messagesHaveSizes() async throws {
      let scene = try scene()
      let socket = try await Socket(to: scene.endpoint)
      _ = try await socket.welcome()
      let channel = try #require(ChannelName("a"))
      try await scene.counts("message_size") {
        let data = ByteBuffer(string: "\"\(String(repeating: "a", count: 2_000))\"")
        socket.send(1, .publish(channel: channel, data: data, key: nil))
        let error = try await socket.error(1)
        #expect(error.code == .tooLarge)
      }
      #expect(!socket.isClosed)
      try await scene.counts("message_size") {
        // A header that announces what no namespace takes is enough.
        socket.send(raw: Array(Attack.frame(0x81, Array(repeating: 0x20, count: 20_000)).prefix(8)))
        let code = try await socket.closeCode()
        #expect(code == 1009)
      }
    }

    @Test func everythingHasItsTime() async throws {
      let scene = try scene()
      let before = try await scene.refusals()
      let silent = try await RawConnection(to: scene.endpoint)
      let head = try await RawConnection(to: scene.endpoint)
      head.send("GET /healthz HTTP/1.1\r\nHo")
      let body = try await RawConnection(to: scene.endpoint)
      body.send("POST /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n1")
      let idle = try await RawConnection(to: scene.endpoint)
      idle.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
      let mute = try await Attack.socket(to: scene.endpoint)
      let slow = try await Attack.socket(to: scene.endpoint)
      // The beginning of a message, and then a byte of it now and then.
      slow.send(Attack.frame(0x01, Array("\"".utf8)))
      try await eventually("the end of a slow message", every: .milliseconds(200)) {
        if !slow.isEnded { slow.send(Attack.frame(0x00, [0x61])) }
        return slow.isEnded
      }
      #expect(try await slow.closeCode() == 1008)
      #expect(slow.text.contains("a message took too long to arrive"))
      #expect(try await mute.closeCode() == 1008)
      #expect(mute.text.contains("no answer to a ping"))
      #expect(try await silent.textToTheEnd() == "")
      for connection in [head, body] {
        let answer = try await connection.textToTheEnd()
        #expect(answer.hasPrefix("HTTP/1.1 408 ") && answer.contains("took too long"), "\(answer)")
      }
      #expect(try await idle.textToTheEnd().hasPrefix("HTTP/1.1 200 "))
      var expected = before
      for (reason, count) in ["head_time": 2, "body_time": 1, "idle": 1, "silent": 1, "message_time": 1] {
        expected[reason, default: 0] += count
      }
      #expect(try await scene.refusals() == expected)
    }

    @Test func onlySoManyConnectionsWaitForARequest() async throws {
      let scene = try scene()
      // Those who wait go after a second: three must have been answered within it.
      try await eventually("a connection for which there is no room") {
        let before = try await scene.refusals()
        var waiting: [RawConnection] = []
        for _ in 0..<3 {
          let connection = try await RawConnection(to: scene.endpoint)
          connection.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
          _ = try await connection.text(with: "alive")
          waiting.append(connection)
        }
        let closes = waiting.map { $0.text.contains("Connection: close\r\n") }
        let count = try await scene.refusals()["idle_connections", default: 0]
        for connection in waiting { connection.close() }
        #expect(count - before["idle_connections", default: 0] == closes.count { $0 })
        return closes == [false, false, true]
      }
    }

    @Test func aSocketHasOnlySoManyChannels() async throws {
      let scene = try scene()
      let socket = try await Socket(to: scene.endpoint)
      for number in 1...3 { try await socket.subscribe("c:\(number)", id: Int64(number)) }
      try await scene.counts("channels") {
        socket.send(4, .subscribe(channel: try #require(ChannelName("c:4")), since: nil, presence: nil))
        let error = try await socket.error(4)
        #expect(error.code == .rateLimited && error.message == "at most 3 channels a connection")
      }
      // Who leaves one has room for another.
      socket.send(5, .unsubscribe(channel: try #require(ChannelName("c:1"))))
      try await socket.subscribe("c:4", id: 6)
      socket.abort()
    }

    @Test func aConnectionPublishesOnlySoMuch() async throws {
      try await LoneNode.run(["--publishes-per-second", "2"]) { node in
        let connection = try await RawConnection(to: node.endpoint)
        let publish =
          "POST /v1/channels/room:a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
        // Five seconds' worth may come at once.
        for _ in 0..<12 { connection.send(publish) }
        let answers = try await connection.text(with: "HTTP/1.1 429 ")
        #expect(answers.ranges(of: "HTTP/1.1 201 ").count == 10)
        #expect(answers.contains("Retry-After: "))
        let refused = #"sluice_refused_total{reason="messages"}"#
        try await eventually("both are counted") {
          try await Metrics.value(refused, of: node.backends) == 2 ? true : nil
        }
        connection.close()
      }
    }

    @Test func aSocketSendsOnlySoMuch() async throws {
      let scene = try scene()
      let padding = String(repeating: "a", count: 1_000)
      let floods: [(reason: String, texts: [String], most: Int)] = [
        // Five seconds' worth may come at once: of twenty messages, of two subscribes, of 8 KiB.
        ("messages", (1...130).map { #"{"type":"ping","id":\#($0)}"# }, 100),
        ("subscribes", (1...15).map { #"{"type":"subscribe","id":\#($0),"channel":"a"}"# }, 10),
        ("bytes", (1...60).map { #"{"type":"ping","id":\#($0),"x":"\#(padding)"}"# }, 41),
      ]
      for (reason, texts, most) in floods {
        let socket = try await Socket(to: scene.endpoint)
        _ = try await socket.welcome()
        let before = try await scene.refusals()
        socket.send(raw: frames(texts))
        // Each is answered, in one way or the other.
        let errors = try await eventually("answers to \(texts.count) commands, \(reason)") {
          let answers = socket.events.filter { event in
            switch event {
            case .pong, .error, .subscribed: true
            default: false
            }
          }
          guard answers.count >= texts.count else { return nil as [ClientError]? }
          return answers.compactMap { if case .error(_, let error) = $0 { error } else { nil } }
        }
        let refused = errors.filter { $0.code == .rateLimited }
        #expect(refused.allSatisfy { ($0.retryAfterMS ?? 0) >= 1_000 })
        #expect(!refused.isEmpty && refused.count <= texts.count - most + 5, "\(reason): \(refused.count)")
        var expected = before
        expected[reason, default: 0] += refused.count
        #expect(try await scene.refusals() == expected)
        #expect(!socket.isClosed)
        socket.abort()
      }
    }

    @Test func whoSpeaksNonsenseIsClosed() async throws {
      let scene = try scene()
      let socket = try await Socket(to: scene.endpoint)
      try await scene.counts("bad_messages") {
        socket.send(raw: frames((1...10).map { "nonsense \($0)" }))
        let code = try await socket.closeCode()
        #expect(code == 1008)
      }
      let errors = socket.events.count {
        if case .error(_, let error) = $0 { error.code == .badJSON } else { false }
      }
      #expect(errors == 10)
    }
  }
}
