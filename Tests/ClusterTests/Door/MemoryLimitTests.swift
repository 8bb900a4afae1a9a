import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// A node that runs out of memory takes no more, then sends some away, and is well again when it has some.
  @Suite struct MemoryLimitTests {
    /// A channel keeps its last message, however large, until there is another one.
    private static let namespaces = """
      namespaces:
        heap: { max_message_bytes: 1MiB, history: 1 }
        brief: { max_message_bytes: 1MiB, history: 1, history_ttl: 15s }
      """

    private func pressure(of node: LoneNode) async throws -> Int {
      try await Metrics.value("sluice_memory_pressure", of: node.backends)
    }

    private func refused(_ reason: String, by node: LoneNode) async throws -> Int {
      try await Metrics.value("sluice_refused_total{reason=\"\(reason)\"}", of: node.backends)
    }

    /// Publishes to channels that nobody follows until the node is under as much pressure. How many there are now.
    private func grow(_ node: LoneNode, to level: Int, from count: Int) async throws -> Int {
      let data = "\"\(String(repeating: "x", count: 1 << 20 - 2))\""
      var count = count
      try await eventually("memory pressure \(level)", within: .seconds(40), every: .milliseconds(50)) {
        if try await pressure(of: node) >= level { return true }
        let channel = try #require(ChannelName("heap:\(count)"))
        _ = try await HTTP.publish([data], toAll: [channel], by: node.backends)
        count += 1
        return false
      }
      return count
    }

    @Test func aNodeGivesWayBeforeItsMemoryEnds() async throws {
      var atRest = 0
      try await LoneNode.run([], file: MemoryLimitTests.namespaces) { atRest = try $0.memory() }
      let options = ["--event-loops", "1", "--memory-limit", "\((atRest / 3 * 4) >> 10)KiB"]
      try await LoneNode.run(options, file: MemoryLimitTests.namespaces) { node in
        try #require(try await pressure(of: node) == 0)
        var sockets: [Socket] = []
        for _ in 0..<3 { sockets.append(try await Socket(to: node.endpoint)) }
        for socket in sockets { try await socket.subscribe("a") }
        let kept = try await RawConnection(to: node.endpoint)
        kept.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try await kept.text(with: "alive")

        var count = try await grow(node, to: 1, from: 0)
        try await refuses(node, kept)
        count = try await grow(node, to: 2, from: count)
        // One after the other is asked to go elsewhere, and those who are still here are served.
        let reason = try await eventually("a goodbye") {
          sockets.lazy.flatMap(\.events).compactMap {
            if case .goaway(let reason, _) = $0 { reason } else { nil }
          }.first
        }
        #expect(reason == "overload")
        #expect(try await Metrics.value("sluice_shed_total", of: node.backends) >= 1)
        let grown = try (0..<count).map { try #require(ChannelName("heap:\($0)")) }
        _ = try await HTTP.publish(["0"], toAll: grown, by: node.backends)
        try await eventually("no pressure any more", within: .seconds(40), every: .milliseconds(100)) {
          try await pressure(of: node) == 0
        }
        let late = try await Socket(to: node.endpoint)
        _ = try await late.welcome()
        late.abort()
        for socket in sockets { socket.abort() }
        kept.close()
      }
    }

    @Test func aNodeAloneTakesNoMoreThanItCanHold() async throws {
      let limit = 256 << 20
      let options = ["--event-loops", "1", "--memory-limit", "\(limit >> 10)KiB"]
      try await LoneNode.run(options, file: MemoryLimitTests.namespaces) { node in
        let data = "\"\(String(repeating: "x", count: 1 << 20 - 2))\""
        func refusal(of prefix: String, within count: Int) async throws -> (taken: Int, answer: HTTPResponse)?
        {
          for index in 0..<count {
            let answer = try await HTTP.publish("\(prefix):\(index)", data, to: node.endpoint)
            guard answer.status == .created else { return (index, answer) }
          }
          return nil
        }
        #expect(try await HTTP.publish("kept", "1", to: node.endpoint).status == .created)
        let (taken, answer) = try #require(try await refusal(of: "brief", within: limit >> 18))
        #expect(answer.status == .serviceUnavailable && answer.problem == "unavailable")
        #expect(answer.headers.contains(name: "Retry-After"))
        #expect(taken > limit >> 22)
        // What is held is served, and everybody may still come.
        #expect(try node.memory() < limit)
        #expect(try await pressure(of: node) == 0)
        let reader = try await Socket(to: node.endpoint)
        try await reader.subscribe("kept", since: .start)
        _ = try await reader.event("what is held") { if case .message = $0 { true } else { nil } }
        // As messages grow old there is room again.
        try await eventually("room", within: .seconds(40), every: .milliseconds(100)) {
          try await HTTP.publish("kept", "2", to: node.endpoint).status == .created
        }
        reader.abort()
      }
    }

    /// Each asks for a page of a mebibyte, and reads nothing of it.
    @Test(arguments: [false, true]) func whatNobodyReadsIsBounded(_ overWebSocket: Bool) async throws {
      let limit = 256 << 20
      let options = [
        "--event-loops", "1", "--memory-limit", "\(limit >> 10)KiB", "--max-connections", "2000",
        // One address asks for all of it.
        "--reads-per-address", "0",
      ]
      try await LoneNode.run(options, file: MemoryLimitTests.namespaces) { node in
        let data = "\"\(String(repeating: "x", count: 1 << 20 - 64))\""
        #expect(try await HTTP.publish("heap:a", data, to: node.endpoint).status == .created)
        let before = try node.memory()
        var idle: [RawConnection] = []
        for _ in 0..<400 {
          let connection = try await RawConnection(to: node.endpoint, reading: false, segment: 88)
          if overWebSocket {
            connection.send(RawConnection.socketHandshake)
            for id in 1...20 {
              connection.send(RawConnection.maskedText(#"{"type":"history","id":\#(id),"channel":"heap:a"}"#))
            }
          } else {
            connection.send("GET /v1/channels/heap:a/messages HTTP/1.1\r\nHost: a\r\n\r\n")
          }
          idle.append(connection)
        }
        try await eventually("some who are given up", within: .seconds(60), every: .milliseconds(50)) {
          #expect(try node.memory() < limit)
          return try await refused("memory", by: node) >= 100
        }
        // An eighth of the limit is left unread, and as much again is under way; the rest is the allocator's, and varies.
        // What is asked for is more than the limit, up to thirty times as much.
        #expect(try node.memory() - before < limit * 3 / 4)
        // Whoever reads is served all the while.
        let answer = try await HTTP.get(node.endpoint, "/v1/channels/heap:a/messages")
        #expect(answer.status == .ok && answer.body.readableBytes > 1 << 20)
        #expect(try await pressure(of: node) == 0)
        for connection in idle { connection.reset() }
      }
    }

    private func refuses(_ node: LoneNode, _ kept: RawConnection) async throws {
      #expect(try await HTTP.get(node.endpoint, "/healthz").status == .ok)
      #expect(try await HTTP.get(node.endpoint, "/readyz").status == .ok)
      let refused = try await HTTP.get(node.endpoint, "/v1/channels/a/messages")
      #expect(refused.status == .serviceUnavailable && refused.problem == "overloaded")
      #expect(refused.headers.contains(name: "Retry-After"))
      #expect(refused.text.contains("too little memory left"), "\(refused.text)")
      let late = try await Socket(to: node.endpoint)
      if case .refused(let answer) = try await late.closure() {
        #expect(answer.status == 503)
      } else {
        Issue.record("it came in")
      }
      let counted = try await self.refused("memory", by: node)
      #expect(counted >= 2)
      #expect(try await self.refused("connections", by: node) == 0)
      // Who is here already reads and publishes, but gets nothing that is held.
      kept.send("GET /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try await kept.text(with: #""type":"history""#)
      kept.send("GET /v1/poll?channels=b&wait=20 HTTP/1.1\r\nHost: a\r\n\r\n")
      _ = try await kept.text(with: "too little memory left")
      #expect(kept.text.contains("HTTP/1.1 503 ") && kept.text.contains("overloaded"))
      #expect(try await self.refused("memory", by: node) == counted + 1)
    }
  }
}
