import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// `sluice serve` by itself, without Redis.
  @Suite struct LoneNodeTests {
    private func withNode(_ options: String..., body: (Endpoint, ChildProcess, Endpoint) async throws -> Void)
      async throws
    {
      try await LoneNode.run(options) { try await body($0.endpoint, $0.process, $0.backends) }
    }

    @Test func servesWithoutAnyArgumentThatNamesACluster() async throws {
      try await withNode { node, _, _ in
        let socket = try await Socket(to: node)
        let start = try #require(try await socket.subscribe("room:alone", presence: .join))
        #expect(try await HTTP.publish("room:alone", "1", to: node).status == .created)
        try await socket.message("1")
        let stream = try await Stream(to: node, "channels=room:alone", lastEventID: "room:alone@\(start)")
        #expect(try await stream.event("message").id == "room:alone@\(start.epoch).\(start.offset + 1)")
        socket.abort()
        stream.abort()
      }
    }

    @Test func whatIsQuietIsKeptAliveAndWhatIsDeadIsClosed() async throws {
      try await withNode("--heartbeat", "1s", "--stream-comment", "1s") { node, _, _ in
        let socket = try await Socket(to: node)
        _ = try await socket.arrivals.first("a ping") { if case .ping = $0 { true } else { nil } }
        let stream = try await Stream(to: node, "channels=room:quiet")
        _ = try await stream.item("a comment") { if case .comment = $0 { true } else { nil } }
        // It takes what it is sent and answers nothing.
        let dead = try await RawConnection(to: node)
        dead.send(
          "GET /v1/socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        _ = try await dead.textToTheEnd()
        #expect(dead.bytes.contains(0x89), "it was closed without a ping")
        #expect(!socket.isClosed)
        socket.abort()
        stream.abort()
      }
    }

    @Test func whoFallsOffTheLogIsToldSo() async throws {
      let directory = try await ClusterTests.cluster().directory
      let file = "\(directory)/short.yaml"
      try "namespaces:\n  default: { history: 5 }\n".write(toFile: file, atomically: true, encoding: .utf8)
      try await withNode("--config", file) { node, _, _ in
        var slowly = node
        slowly.readRate = 1 << 20
        let socket = try await Socket(to: slowly)
        let start = try #require(try await socket.subscribe("room:slow"))
        try await socket.connection.use { $0.setReadRate(1) }
        let count: UInt64 = 400
        try await fill("room:slow", with: count, through: node)
        try await socket.connection.use { $0.setReadRate(nil) }
        var position = start
        var gaps: [Gap] = []
        while position.offset < count {
          let before = position
          let (to, gap) = try await socket.event("what follows \(before)") { event -> (Cursor, Gap?)? in
            switch event {
            case .message(_, let cursor?, _, _, _) where cursor == Cursor(before.epoch, before.offset + 1):
              (cursor, nil)
            case .gap(_, let gap) where gap.from == before: (gap.to, gap)
            default: nil
            }
          }
          position = to
          if let gap { gaps.append(gap) }
        }
        #expect(!gaps.isEmpty && gaps.allSatisfy { $0.reason == .overflow }, "\(gaps)")
        socket.abort()
      }
    }

    @Test func whoTakesNothingAtAllIsClosed() async throws {
      try await withNode("--slow-reader-limit", "1s") { node, _, backends in
        var slowly = node
        slowly.readRate = 1 << 20
        let stalled = try await Socket(to: slowly)
        try await stalled.subscribe("room:stalled")
        let reading = try await Socket(to: node)
        try await reading.subscribe("room:stalled")
        try await stalled.connection.use { $0.setReadRate(1) }
        try await fill("room:stalled", with: 400, through: node)
        try await eventually("a closed reader") {
          try await HTTP.get(backends, "/metrics").text.contains("sluice_too_slow_total 1\n")
        }
        #expect(!reading.isClosed)
        try await stalled.connection.use { $0.setReadRate(nil) }
        _ = try await stalled.closure()
        reading.abort()
      }
    }

    /// More than the socket buffers of both sides take.
    private func fill(_ channel: String, with count: UInt64, through node: Endpoint) async throws {
      let data = "\"\(String(repeating: "x", count: 60_000))\""
      for _ in 0..<count {
        #expect(try await HTTP.publish(channel, data, to: node).status == .created)
      }
    }

    @Test func aSecondSignalEndsADrainAtOnce() async throws {
      try await withNode("--settle", "30s", "--drain-window", "1m") { node, process, _ in
        let socket = try await Socket(to: node)
        _ = try await socket.welcome()
        kill(process.pid, SIGTERM)
        try await eventually("a drain") { try await HTTP.get(node, "/readyz").status == .serviceUnavailable }
        #expect(process.exitStatus == nil)
        kill(process.pid, SIGTERM)
        _ = try await process.exit(within: .seconds(5))
        _ = try await socket.closure()
      }
    }

    @Test func aDrainWithNobodyThereEndsWithZero() async throws {
      try await withNode("--settle", "0s", "--drain-window", "1s") { _, process, _ in
        kill(process.pid, SIGTERM)
        let status = try await process.exit(within: .seconds(10))
        #expect(status == 0)
      }
    }

    @Test func everyMistakeInTheSettingsIsNamedAtOnce() async throws {
      let cluster = try await ClusterTests.cluster()
      let outcome = try await Shell.run(
        [cluster.binary, "serve", "--listen", "nowhere", "--event-loops", "many", "--settle", "soon"],
        in: cluster.directory
      )
      #expect(outcome.status != 0)
      for name in ["listen", "event-loops", "settle"] {
        #expect(outcome.output.contains(name), "\(outcome.output)")
      }
    }
  }
}
