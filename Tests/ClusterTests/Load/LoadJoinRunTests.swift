import Foundation
import LoadTesting
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// `sluice load --join`: several processes, one run.
  @Suite struct LoadJoinRunTests {
    @Test func whatOnePublishesIsJudgedAtTheSubscribersOfAll() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "fanout", cluster.node(0).url, cluster.node(1).url, "--connections", "31", "--join", "3", "--rate",
          "60",
          "--duration", "3s", "--warm-up", "500ms", "--operator", cluster.operating(0).url,
        ]
      )
      let result = try run.good()
      #expect(result.driver.processes == 3)
      #expect(result.plan.contains(LoadSetting("connections", "31")))
      #expect(result.plan.contains(LoadSetting("join", "3")))
      #expect(result.totals.acknowledged == result.totals.publishes && result.totals.publishes > 150)
      #expect(result.totals.deliveries == result.totals.publishes * 31)
      #expect(result.verdict?.subscribers == 31)
      #expect(result.timings[.connect]?.count == result.totals.connects)
      #expect(result.samples.contains { $0.atS > 0 && $0.connected == 31 && $0.delivered > 0 })
      #expect(result.marks.count { $0.text == "measuring begins" } == 1)
      #expect(result.nodes.count == 3)
    }

    /// Each process follows the channel with some clients, and publishes to all.
    @Test func whatIsLostAtOneIsFoundWhoeverPublishedIt() async throws {
      let cluster = try await ClusterTests.cluster()
      let proxy = try await LossyProxy(before: cluster.node(0), droppingEvery: 20)
      let run = try await LoadCommandRun(
        cluster,
        [
          "fanout", proxy.endpoint.url, "--connections", "10", "--join", "2", "--rate", "50", "--duration",
          "3s",
        ]
      )
      try await proxy.stop()
      #expect(run.status == 1, "\(run.output)")
      let verdict = try #require(run.result?.verdict)
      #expect(proxy.droppedCount > 10)
      #expect(verdict.lost == proxy.droppedCount, "\(verdict)")
      #expect(verdict.subscribers == 10)
    }

    @Test func aSignalEndsAllEarlyWithOneVerdict() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try LoadCommandRun.Underway(
        cluster,
        [
          "fanout", cluster.node(0).url, "--connections", "20", "--join", "2", "--rate", "50", "--duration",
          "10m",
        ]
      )
      try await eventually("measuring", within: .seconds(30)) { run.output.contains("measuring begins") }
      kill(run.process.pid, SIGINT)
      let result = try await run.end(within: .seconds(60)).good()
      #expect(result.elapsedS < 60 && result.verdict?.isClean == true)
      #expect(result.driver.processes == 2)
    }

    @Test func whoCannotBeStartedSaysWhy() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        ["fanout", "http://127.0.0.1:1", "--connections", "4", "--join", "2"]
      )
      #expect(run.status == 1)
      #expect(run.output.contains("no client could connect"), "\(run.output)")
      let refused = try await LoadCommandRun(cluster, ["presence", cluster.node(0).url, "--join", "2"])
      #expect(refused.status == 64)
      #expect(refused.output.contains("is played by one process"))
    }
  }
}
