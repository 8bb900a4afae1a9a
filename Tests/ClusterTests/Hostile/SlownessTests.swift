import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Those who take their time, so that the node runs out of something.
  @Suite struct SlownessTests {
    /// A history of which a page is a mebibyte.
    private func fill(_ node: LoneNode, with count: Int = 40) async throws {
      let large = "\"\(String(repeating: "x", count: 60_000))\""
      for number in 0..<count {
        let answer = try await HTTP.publish("large", large, key: "\(number)", to: node.endpoint)
        #expect([.created, .ok].contains(answer.status))
      }
    }

    private func tooSlow(_ node: LoneNode) async throws -> Int {
      try await Metrics.value("sluice_too_slow_total", of: node.backends)
    }

    @Test func slowHeadsAreGivenUp() async throws {
      try await Attack.on(["--head-timeout", "1s"]) { node in
        let slow = try await Attack.connections(150, to: node.endpoint)
        for connection in slow { connection.send("GET /v1/stream?channels=a HTTP/1.1\r\nHost: a\r\n") }
        try await Attack.keepUp(every: .milliseconds(200)) {
          for connection in slow { connection.send("X: y\r\n") }
        }
        for connection in slow {
          let answer = try await connection.textToTheEnd()
          #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
        }
      }
    }

    @Test func slowBodiesAreGivenUp() async throws {
      try await Attack.on(["--body-timeout", "1s"]) { node in
        let slow = try await Attack.connections(150, to: node.endpoint)
        for connection in slow {
          connection.send(
            "POST /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"
          )
        }
        try await Attack.keepUp(every: .milliseconds(200)) { for connection in slow { connection.send("1") } }
        for connection in slow {
          let answer = try await connection.textToTheEnd()
          #expect(answer.hasPrefix("HTTP/1.1 408 "), "\(answer)")
        }
      }
    }

    @Test func silentConnectionsAreGivenUp() async throws {
      try await Attack.on(["--head-timeout", "1s", "--idle-timeout", "1s"]) { node in
        let silent = try await Attack.connections(300, to: node.endpoint)
        let idle = try await Attack.connections(50, to: node.endpoint)
        for connection in idle { connection.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") }
        for connection in silent + idle { _ = try await connection.textToTheEnd() }
      }
    }

    /// Half-open: the other end is gone, and nothing tells so but its silence.
    @Test func whoAnswersNoPingIsGivenUp() async throws {
      try await Attack.on(["--heartbeat", "1s"]) { node in
        var gone: [RawConnection] = []
        for _ in 0..<100 { gone.append(try await Attack.socket(to: node.endpoint)) }
        for connection in gone { #expect(try await connection.closeCode() == 1008) }
      }
    }

    /// Large answers are asked for, and not read.
    @Test func whoTakesNoAnswerIsGivenUp() async throws {
      try await Attack.on(["--idle-timeout", "1s"]) { node in
        try await fill(node)
        let before = try node.memory()
        let slow = try await Attack.connections(40, to: node.endpoint, reading: false)
        let wish = "GET /v1/channels/large/messages?limit=1000 HTTP/1.1\r\nHost: a\r\n\r\n"
        // A page is a mebibyte, and a debug build takes its time for each: they are not all asked for in one moment.
        for connection in slow {
          connection.send(String(repeating: wish, count: 30))
          try await Task.sleep(for: .milliseconds(25))
        }
        try await Attack.keepUp {
          let memory = try node.memory()
          #expect(memory < before + 160 << 20)
        }
        try await eventually("the end of slow readers") {
          try await Metrics.value("sluice_open_connections", of: node.backends) <= 2
        }
      }
    }

    /// The same over WebSockets: reads are asked for by the hundred, their answers not taken.
    @Test func whoAsksForMoreThanItTakesIsAskedForPatience() async throws {
      try await Attack.on(["--slow-reader-limit", "1s"], memory: 24 << 20) { node in
        try await fill(node)
        let (before, were) = (try node.memory(), try await tooSlow(node))
        var slow: [RawConnection] = []
        for _ in 0..<10 { slow.append(try await Attack.socket(to: node.endpoint, reading: false)) }
        let wish = Attack.frame(
          0x81,
          Array(#"{"type":"history","id":1,"channel":"large","limit":1000}"#.utf8)
        )
        for connection in slow { connection.send((0..<400).flatMap { _ in wish }) }
        try await Attack.keepUp {
          let memory = try node.memory()
          #expect(memory < before + 200 << 20)
        }
        try await eventually("the end of slow readers") {
          try await tooSlow(node) == were + 10
        }
      }
    }

    /// More is sent to it than the buffers of both sides take, and it takes nothing until the node gives it up.
    private func stalled(_ node: LoneNode) async throws -> Socket {
      var slowly = node.endpoint
      slowly.readRate = 1 << 20
      let socket = try await Socket(to: slowly)
      _ = try await socket.welcome()
      try await socket.connection.use { $0.setReadRate(1) }
      let were = try await tooSlow(node)
      socket.send(1, .subscribe(channel: try #require(ChannelName("large")), since: .start, presence: nil))
      try await eventually("the end of a reader", every: .milliseconds(1)) { try await tooSlow(node) > were }
      return socket
    }

    /// The close frame comes after everything that was sent before, and the connection ends a second after it: on a busy
    /// machine who reads at once may be too late, but not each time.
    @Test func whoReadsOnAtOnceIsToldThatItWasTooSlow() async throws {
      try await LoneNode.run(["--slow-reader-limit", "1s"]) { node in
        try await fill(node, with: 200)
        try await eventually("a reader that is told why", within: .seconds(60)) {
          let socket = try await stalled(node)
          try await socket.connection.use { $0.setReadRate(nil) }
          guard case .closed(let code, let reason) = try await socket.closure() else { return false }
          #expect(code == 4008 && reason == "nothing was read for too long")
          return true
        }
      }
    }

    /// Whoever comes later finds what was under way, and no word of why there is no more.
    @Test func whoReadsOnLaterFindsTheEndAlone() async throws {
      try await LoneNode.run(["--slow-reader-limit", "1s"]) { node in
        try await fill(node, with: 200)
        let socket = try await stalled(node)
        try await eventually("the end of its connection") {
          try await Metrics.value("sluice_open_connections", of: node.backends) == 0
        }
        try await socket.connection.use { $0.setReadRate(nil) }
        guard case .lost = try await socket.closure() else {
          Issue.record("it was told")
          return
        }
        #expect(socket.events.contains { if case .message = $0 { true } else { false } })
      }
    }
  }
}
