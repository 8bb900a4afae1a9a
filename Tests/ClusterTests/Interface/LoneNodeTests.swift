import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// `sluice serve` by itself, without Redis.
  @Suite struct LoneNodeTests {
    private func withNode(_ options: String..., body: (Endpoint, ChildProcess) async throws -> Void)
      async throws
    {
      let cluster = try await ClusterTests.cluster()
      let ports = try FreePorts.pick(2)
      let node = Endpoint(host: "127.0.0.1", port: ports[0])
      let process = try ChildProcess(
        [
          cluster.binary, "serve", "--listen", "127.0.0.1:\(ports[0])", "--operator-listen",
          "127.0.0.1:\(ports[1])",
        ]
          + options,
        output: "\(cluster.directory)/logs/lone.log"
      )
      let outcome: Result<Void, any Error>
      do {
        try await eventually("a ready node") { (try? await HTTP.get(node, "/readyz"))?.status == .ok }
        outcome = .success(try await body(node, process))
      } catch {
        outcome = .failure(error)
      }
      if process.exitStatus == nil { kill(process.pid, SIGKILL) }
      _ = try await process.exit(within: .seconds(20))
      try outcome.get()
    }

    @Test func servesWithoutAnyArgumentThatNamesACluster() async throws {
      try await withNode { node, _ in
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
      try await withNode("--heartbeat", "1s", "--stream-comment", "1s") { node, _ in
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

    @Test func aSecondSignalEndsADrainAtOnce() async throws {
      try await withNode("--settle", "30s", "--drain-window", "1m") { node, process in
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
      try await withNode("--settle", "0s", "--drain-window", "1s") { _, process in
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
