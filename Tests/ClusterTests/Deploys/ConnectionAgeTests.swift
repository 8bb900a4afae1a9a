import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct ConnectionAgeTests {
    @Test func oldConnectionsAreRenewedWithoutLoss() async throws {
      let cluster = try await ClusterTests.cluster()
      for name in Cluster.nodeNames {
        _ = try await ChildNode(insteadOf: name, in: cluster, ["--max-connection-age", "3s"])
      }
      try await cluster.up()
      let stubborn = try await Socket(to: cluster.node(0))
      let run = try await DeployRun(cluster, 60)
      try await eventually("everyone's third connection", within: .seconds(40), every: .milliseconds(100)) {
        try await run.fleet.journals().allSatisfy { $0.connections.count >= 3 }
      }
      let journals = try await run.finish()
      var ages: [Double] = []
      for journal in journals {
        for connection in journal.connections {
          guard let readyAt = connection.readyAt, let toldAt = connection.sentAwayAt else { continue }
          ages.append(Double((toldAt - readyAt).nanoseconds) / 1e9)
        }
        guard journal.transport == .webSocket else { continue }
        for (old, new) in zip(journal.connections, journal.connections.dropFirst()) {
          let readyAt = try #require(new.readyAt)
          #expect(old.endedAt.map { $0 >= readyAt } ?? true, "\(journal.subscriber) was without a connection")
        }
      }
      #expect(ages.count >= 120)
      // Within a fifth of three seconds, and not all at the same age. Who was told notes it at once on a
      // WebSocket, and on a stream the time to come back.
      #expect(ages.min()! >= 1.8, "told after \(ages.min()!) s")
      #expect(ages.max()! - ages.min()! > 0.6)
      #expect(try await cluster.metric("sluice_aged_total", of: 0) > 0)
      #expect(try await cluster.metric("sluice_drain_sent_away_total", of: 0) == 0)

      let reason = try await stubborn.event("goaway") { event -> String? in
        if case .goaway(let reason, _) = event { reason } else { nil }
      }
      #expect(reason == "age")
      #expect(try await stubborn.closeCode(within: .seconds(16)) == 1012)
      #expect(try await cluster.metric("sluice_drain_forced_total", of: 0) == 0)
      try await cluster.restore(Cluster.nodeNames)
    }
  }
}
