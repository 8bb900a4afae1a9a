import Foundation
import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// Deploys, as `deploy/rolling-restart` makes them, under load.
  @Suite(.timeLimit(.minutes(30))) struct RollingTests {
    private let scale = RollingScale.asked
    /// For each node: settle, window, goodbye and grace, and its start; several times over.
    private var limit: Duration { .seconds((scale.window * 4 + 60) * 3) }

    @Test func nobodyNoticesADeploy() async throws {
      let outcome = try await RollingRun.during("\(scale.rounds) rolling restarts", scale) { run in
        for round in 1...scale.rounds {
          let before = Cluster.nodeNames.map { run.cluster.pid(of: $0) }
          let restart = try RollingRestart(run.cluster, ["--drain-window", "\(scale.window)s"])
          #expect(try await restart.exit(within: limit) == 0, "\(restart.output)")
          let events = restart.events
          print("  round \(round): \(events.last?.seconds ?? -1) s")
          #expect(events.last?.event == "finished")
          #expect(events.filter { $0.event == "proved" }.compactMap(\.node) == Cluster.nodeNames)
          #expect(events.compactMap(\.forced).reduce(0, +) == 0, "sessions were closed: \(restart.output)")
          let after = Cluster.nodeNames.map { run.cluster.pid(of: $0) }
          #expect(zip(before, after).allSatisfy { $0 != $1 }, "a node was not replaced")
        }
      }
      let times = outcome.times
      #expect(times.without(.webSocket, at: 1) == 0, "who connects anew first was without a connection")
      for transport in SubscriberTransport.allCases where transport != .webSocket {
        #expect(times.without(transport, at: 0.99) < 500, "\(transport.rawValue)")
      }
      // When the second node is drained, half of all sessions may be on it. Of few clients, chance alone may bring
      // more than three times as many at once.
      let planned = Double(scale.clients) / 2 / Double(scale.window) / 10
      let most = max(3 * planned, planned + 6 * planned.squareRoot())
      #expect(Double(times.peak.count) <= most, "\(times.peak), where \(planned) are planned")
    }

    @Test func aNodeIsKilledInTheMiddleOfItsDrain() async throws {
      let outcome = try await RollingRun.during("kill -9 in the middle of a drain", scale) { run in
        let restart = try RollingRestart(run.cluster, ["--drain-window", "\(scale.window)s"])
        try await eventually("gateway-2 half drained", within: limit, every: .milliseconds(50)) {
          guard restart.events.contains(where: { $0.event == "proved" && $0.node == "gateway-1" }) else {
            return false
          }
          let node = try? await HTTP.get(run.cluster.operating(1), "/v1/nodes/gateway-2")
          let drain = node?.object?["drain"]?.object
          return (drain?["remaining"]?.integer ?? .max) < Int64(scale.clients) / 4
        }
        try await run.cluster.kill9("gateway-2")
        #expect(try await restart.exit(within: .seconds(30)) == 1)
        let stopped = try #require(restart.events.last)
        #expect(stopped.event == "stopped" && stopped.node == "gateway-2" && stopped.step == "drain")
        #expect(stopped.done == ["gateway-1"] && stopped.left == ["gateway-2", "gateway-3"])
        try await eventually("everyone elsewhere", within: .seconds(60), every: .milliseconds(100)) {
          try await run.fleet.count { $0.isReady && $0.node != "gateway-2" } == run.fleet.count
        }
        let resumed = try RollingRestart(run.cluster, ["--resume"])
        #expect(try await resumed.exit(within: limit) == 0, "\(resumed.output)")
        #expect(
          resumed.events.filter { $0.event == "proved" }.compactMap(\.node) == ["gateway-2", "gateway-3"]
        )
      }
      #expect(outcome.times.without(.webSocket, at: 0.5) < 5_000)
    }
  }
}
