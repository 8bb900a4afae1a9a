import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// SSE of one node.
  @Suite struct EventStreamTests {
    @Test func beginsWithItsRetryAndAWelcomeWithThePositions() async throws {
      let cluster = try await ClusterTests.cluster()
      let stream = try await Stream(to: cluster.node(1), "channels=room:sse-b,room:sse-a")
      let head = try await stream.opened()
      #expect(head.headers.first(name: "Content-Type")?.hasPrefix("text/event-stream") == true)
      #expect(head.headers.first(name: "Cache-Control")?.contains("no-") == true)
      let welcome = try await stream.event("welcome")
      guard case .welcome(_, let node, _, let heartbeat) = welcome.content else { return }
      #expect(node == "gateway-2")
      #expect(heartbeat > 0)
      #expect(welcome.name == "welcome")
      let set = try #require(CursorSet(welcome.id))
      #expect(set.positions.map(\.channel.text) == ["room:sse-a", "room:sse-b"])
      #expect(set.description == welcome.id)
      guard case .retry(let milliseconds) = stream.items.first else {
        Issue.record("the first item is no retry")
        return
      }
      #expect((1_000...4_000).contains(milliseconds))
      stream.abort()
    }

    @Test func everyMessageIsUnnamedAndItsIDIsThePositionInAll() async throws {
      let cluster = try await ClusterTests.cluster()
      let stream = try await Stream(to: cluster.node(1), "channels=room:ids-a,room:ids-b")
      let start = try #require(CursorSet(try await stream.event("welcome").id))
      let channels = try ["room:ids-a", "room:ids-b"].map { try #require(ChannelName($0)) }
      for (number, channel) in [channels[0], channels[1], channels[1]].enumerated() {
        #expect(try await HTTP.publish(channel.text, "\(number)", to: cluster.node(2)).status == .created)
        let last = ByteBuffer(string: "\(number)")
        _ = try await stream.item("message \(number)") { item -> Bool? in
          guard case .event(let event) = item,
            case .message(channel, _, last, _, _)? = try? ServerEvent(parsing: event.data)
          else { return nil }
          return true
        }
      }
      let messages = stream.items.compactMap { item -> ServerSentEvent? in
        guard case .event(let event) = item, case .message? = try? ServerEvent(parsing: event.data) else {
          return nil
        }
        return event
      }
      #expect(messages.count == 3)
      #expect(messages.allSatisfy { $0.name == nil })
      var expected = start
      for (message, channel) in zip(messages, [channels[0], channels[1], channels[1]]) {
        let before = try #require(expected[channel])
        expected[channel] = Cursor(before.epoch, before.offset + 1)
        #expect(String(buffer: message.lastEventID) == expected.description)
      }
      stream.abort()
    }

    @Test func resumesWithTheLastEventIDOnAnotherNode() async throws {
      let cluster = try await ClusterTests.cluster()
      let first = try await Stream(to: cluster.node(0), "channels=room:resume-sse")
      let id = try await first.event("welcome").id
      first.abort()
      for number in 0..<3 {
        #expect(
          try await HTTP.publish("room:resume-sse", "\(number)", to: cluster.node(0)).status == .created
        )
      }
      let second = try await Stream(to: cluster.node(1), "channels=room:resume-sse", lastEventID: id)
      _ = try await second.item("the third message") { item -> Bool? in
        guard case .event(let event) = item else { return nil }
        return String(buffer: event.data).contains(#""data":2,"#) ? true : nil
      }
      let events = second.items.compactMap { if case .event(let event) = $0 { event } else { nil } }
      #expect(events.map(\.name) == ["welcome", nil, nil, nil])
      second.abort()
    }

    @Test func isKeptAliveByComments() async throws {
      let cluster = try await ClusterTests.cluster()
      let stream = try await Stream(to: cluster.nginx, "channels=room:quiet")
      _ = try await stream.event("welcome")
      _ = try await stream.item("a comment", within: .seconds(25)) {
        if case .comment = $0 { true } else { nil }
      }
      #expect(stream.arrivals.all.allSatisfy { if case .closed = $0 { false } else { true } })
      stream.abort()
    }

    @Test(arguments: [
      ("", "bad_"), ("channels=", "bad_"), ("channels=no%20spaces", "bad_channel"),
      ("channels=a&since=nonsense", "bad_cursor"),
    ])
    func aMistakeIsAProblem(_ query: String, _ code: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let stream = try await Stream(to: cluster.node(0), query)
      guard case .refused(let response) = try await stream.closure() else {
        Issue.record("it was not refused")
        return
      }
      #expect(response.status == .badRequest)
      #expect(response.problem?.hasPrefix(code) == true, "\(response.text)")
    }

    /// A native EventSource takes `429` for final: nginx makes a stream of it that says when to come back, and why.
    @Test func whoIsOverALimitBehindAProxyComesBack() async throws {
      let cluster = try await ClusterTests.cluster()
      let flags = ["--event-loops", "1", "--subscribes-per-address", "10"]
      _ = try await ChildNode(insteadOf: "gateway-1", in: cluster, flags)
      let route = try await cluster.route(to: 0)
      // More than may come at once, which takes five seconds to make up for.
      let names = (0..<100).map { "room:crowd-\($0)" }.joined(separator: ",")
      #expect(try await HTTP.poll(cluster.nginx, names, "wait=0&route=\(route)").status == .ok)
      let refused = try await HTTP.get(
        cluster.nginx,
        "/v1/stream?channels=room:crowded&route=\(route)",
        headers: ["Last-Event-ID": "room:crowded@abcdefgh.7"]
      )
      #expect(refused.status == .ok)
      #expect(refused.headers.first(name: "Content-Type") == "text/event-stream")
      let event =
        "event: error\nid: room:crowded@abcdefgh.7\n" + #"data: {"type":"error","code":"rate_limited","#
      let text = refused.text
      let wait = try #require(text.firstMatch(of: /^retry: ([0-9]+)\n\n/).flatMap { Int($0.1) }, "\(text)")
      #expect((1_000..<12_000).contains(wait))
      #expect(text.contains("\n\n\(event)") && text.hasSuffix("\"retry_after_ms\":\(wait)}\n\n"), "\(text)")
      // No other node was tried, and this one has said why.
      #expect(try await cluster.metric(#"sluice_refused_total{reason="subscribes"}"#, of: 0) == 1)

      let crowded = try #require(ChannelName("room:crowded"))
      var settings = SubscriberSettings(name: "native", endpoint: cluster.nginx, channels: [crowded])
      settings.transport = .nativeEventSource
      settings.route = route
      let fleet = try await Fleet([settings])
      try await fleet.ready(within: .seconds(40))
      #expect(try await fleet.all { $0.givenUp }.compactMap(\.self) == [])
      try await fleet.stop()
      try await cluster.restore(["gateway-1"])
    }

    @Test func anHTTP10ClientGetsItsStreamToo() async throws {
      let cluster = try await ClusterTests.cluster()
      let connection = try await RawConnection(to: cluster.node(0))
      connection.send("GET /v1/stream?channels=room:old HTTP/1.0\r\n\r\n")
      let text = try await connection.text(with: "event: welcome\n")
      #expect(text.hasPrefix("HTTP/1.0 200 ") || text.hasPrefix("HTTP/1.1 200 "))
      #expect(!text.lowercased().contains("transfer-encoding"))
      connection.close()
    }
  }
}
