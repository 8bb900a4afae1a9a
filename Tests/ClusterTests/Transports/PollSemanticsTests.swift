import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// What a poll is answered.
  @Suite struct PollSemanticsTests {
    private func position(_ node: Endpoint, _ channels: String) async throws -> CursorSet {
      let response = try await HTTP.poll(node, channels, "wait=0")
      #expect(response.status == .ok)
      let answer = try #require(response.poll, "\(response.text)")
      #expect(answer.events.isEmpty)
      return answer.cursor
    }

    private func messages(_ response: HTTPResponse) throws -> [String] {
      try #require(response.poll, "\(response.status): \(response.text)").events.compactMap {
        if case .message(_, _, let data, _, _) = $0 { String(buffer: data) } else { nil }
      }
    }

    @Test func aHeldPollIsAnsweredWithWhatCameInAnyOfItsChannels() async throws {
      let cluster = try await ClusterTests.cluster()
      let start = try await position(cluster.node(0), "poll:a,poll:b")
      #expect(start.positions.map(\.channel.text) == ["poll:a", "poll:b"])
      let held = try await Metrics.heldPolls(of: cluster.operating(2))
      async let answer = HTTP.poll(cluster.node(2), "poll:a,poll:b", "since=\(start)&wait=55")
      try await eventually("a held poll") {
        try await Metrics.heldPolls(of: cluster.operating(2)) == held + 1
      }
      _ = try await HTTP.publish("poll:b", "1", to: cluster.node(1))
      let response = try await answer
      #expect(try messages(response) == ["1"])
      #expect(response.headers.first(name: "Cache-Control") == "no-store")
      #expect(response.headers.first(name: "X-Poll-Interval").flatMap { Int($0) } != nil)
      let b = try #require(ChannelName("poll:b"))
      var expected = start
      expected[b] = start[b].map { Cursor($0.epoch, $0.offset + 1) }
      #expect(response.poll?.cursor == expected)
      // What lies after a cursor is answered at once, on any node.
      for node in 0..<3 {
        #expect(
          try messages(try await HTTP.poll(cluster.node(node), "poll:a,poll:b", "since=\(start)&wait=55"))
            == ["1"]
        )
      }
    }

    @Test func aLongPollThatTimesOutIsAnsweredWithNothing() async throws {
      let cluster = try await ClusterTests.cluster()
      let start = try await position(cluster.node(0), "poll:quiet")
      let began = ContinuousClock.now
      let response = try await HTTP.poll(cluster.node(0), "poll:quiet", "since=\(start)&wait=1")
      #expect(ContinuousClock.now - began >= .seconds(1))
      #expect(response.status == .ok && response.poll?.cursor == start)
      #expect(response.poll?.events.isEmpty == true)
      for wait in ["-1", "56", "soon", "1.5"] {
        let refused = try await HTTP.poll(cluster.node(0), "poll:quiet", "wait=\(wait)")
        #expect(refused.status == .badRequest && refused.problem == "bad_request", "wait=\(wait)")
      }
    }

    @Test func aBurstIsOneAnswer() async throws {
      try await LoneNode.run(["--poll-gather", "1s"]) { node in
        let room = try #require(ChannelName("room:burst"))
        let start = try await position(node.endpoint, room.text)
        async let answer = HTTP.poll(node.endpoint, room.text, "since=\(start)&wait=55")
        try await eventually("a held poll") { try await Metrics.heldPolls(of: node.backends) == 1 }
        _ = try await HTTP.publish((1...10).map(String.init), toAll: [room], by: node.backends)
        #expect(try messages(try await answer) == (1...10).map(String.init))
      }
    }

    @Test func whatIsMissingIsSaid() async throws {
      let file = "namespaces:\n  default: { history: 5 }\n"
      try await LoneNode.run([], file: file) { node in
        let room = try #require(ChannelName("room:short"))
        let start = try #require(try await position(node.endpoint, room.text)[room])
        _ = try await HTTP.publish((1...20).map(String.init), toAll: [room], by: node.backends)
        for wait in [0, 55] {
          let trimmed = try await HTTP.poll(node.endpoint, room.text, "since=\(room)@\(start)&wait=\(wait)")
          guard case .gap(room, let gap)? = trimmed.poll?.events.first else {
            Issue.record("no gap: \(trimmed.text)")
            return
          }
          #expect(gap.from == start && gap.reason == .trimmed)
          #expect(gap.to.epoch == start.epoch && gap.to.offset >= 1 && gap.to.offset <= 15)
          let rest = try messages(trimmed)
          #expect(rest == (Int(gap.to.offset) + 1...20).map(String.init))

          let reset = try await HTTP.poll(
            node.endpoint,
            room.text,
            "since=\(room)@zzzzzzzz.3&wait=\(wait)"
          )
          guard case .gap(room, let other)? = reset.poll?.events.first else {
            Issue.record("no gap: \(reset.text)")
            return
          }
          #expect(other.from == Cursor("zzzzzzzz.3") && other.reason == .reset)
          #expect(reset.poll?.cursor[room] == Cursor(start.epoch, 20))
        }
      }
    }

    @Test func aShortPollIsValidatedAndCached() async throws {
      let file = "namespaces:\n  default: { poll_max_age: 7s }\n  quick: { poll_max_age: 2s }\n"
      try await LoneNode.run([], file: file) { node in
        let first = try await HTTP.poll(node.endpoint, "room:a", "wait=0")
        let set = try #require(first.poll).cursor
        let tag = "\"\(set)\""
        #expect(first.headers["ETag"] == [tag])
        #expect(first.headers["Cache-Control"] == ["public, max-age=7"])
        for condition in [tag, "W/\(tag)", "\"other\", \(tag)", "*"] {
          let again = try await HTTP.poll(
            node.endpoint,
            "room:a",
            "since=\(set)&wait=0",
            headers: ["If-None-Match": condition]
          )
          #expect(again.status == .notModified, "\(condition)")
          #expect(again.body.readableBytes == 0)
          #expect(again.headers["ETag"] == [tag])
          #expect(again.headers["Cache-Control"] == ["public, max-age=7"])
          #expect(again.headers.contains(name: "X-Poll-Interval"))
        }
        let other = try await HTTP.poll(
          node.endpoint,
          "room:a",
          "since=\(set)&wait=0",
          headers: ["If-None-Match": "\"other\""]
        )
        #expect(other.status == .ok)
        _ = try await HTTP.publish("room:a", "1", to: node.endpoint)
        let news = try await HTTP.poll(
          node.endpoint,
          "room:a",
          "since=\(set)&wait=0",
          headers: ["If-None-Match": tag]
        )
        #expect(news.status == .ok)
        #expect(try messages(news) == ["1"])
        // The strictest of several; and for one client alone nothing is kept.
        let both = try await HTTP.poll(node.endpoint, "quick:a,room:a", "wait=0")
        #expect(both.headers["Cache-Control"] == ["public, max-age=2"])
        for (query, headers) in [
          ("wait=0&presence=watch", [:]),
          ("wait=0", ["Sluice-Session": Session(user: nil).secret]),
        ] as [(String, HTTPHeaders)] {
          let own = try await HTTP.poll(node.endpoint, "room:a", query, headers: headers)
          #expect(own.headers["Cache-Control"] == ["private, no-store"])
        }
      }
    }
  }
}
