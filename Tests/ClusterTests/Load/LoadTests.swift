import Foundation
import LoadTesting
import NIOCore
import SluiceClient
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// `sluice load` against the cluster, in short.
  @Suite struct LoadTests {
    private func operators(_ cluster: Cluster) -> [String] {
      (0..<3).flatMap { ["--operator", cluster.operating($0).url] }
    }

    private func figure(_ result: LoadResult, _ name: String) -> String? {
      result.figures.first { $0.name == name }?.value
    }

    @Test func fanoutIsCountedTimedAndJudged() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "fanout", cluster.nginx.url, "--connections", "60", "--rate", "50", "--duration", "3s", "--warm-up",
          "1s", "--transports", "websocket=50,sse=30,long-poll=20",
        ] + operators(cluster)
      )
      let result = try run.good()
      #expect(result.scenario == "fanout")
      let totals = result.totals
      #expect(totals.connects >= 60 && totals.failedPublishes == 0)
      #expect(totals.publishes > 150 && totals.acknowledged == totals.publishes)
      #expect(totals.deliveries == totals.publishes * 60)
      #expect(totals.deliveredBytes == totals.deliveries * 128)
      let verdict = try #require(result.verdict)
      #expect(verdict.isClean && verdict.subscribers == 60 && verdict.gaps == [:])
      let delivery = try #require(result.timings[.delivery])
      #expect(
        delivery.count > 60 * 100 && delivery.percentile(50) > 0 && delivery.max >= delivery.percentile(99)
      )
      #expect(result.timings[.connect]?.count == totals.connects)
      #expect(result.timings[.publish].map { $0.count > 100 } == true)
      #expect(result.samples.contains { $0.atS > 0 && $0.connected == 60 && $0.delivered > 0 })
      #expect(result.samples.map(\.atS) == result.samples.map(\.atS).sorted())
      #expect(result.marks.contains { $0.kind == .phase })
      #expect((2.5...10).contains(result.elapsedS))
      #expect(result.driver.cores > 0 && result.driver.rss > 0 && result.driver.coresAvailable > 0)
      #expect(result.nodes.map(\.node) == Cluster.nodeNames)
      #expect(result.nodes.allSatisfy { $0.samples.contains { $0.cores != nil && $0.rss > 0 } })
    }

    @Test func channelsAndMessagesAreSpread() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "rooms", cluster.node(0).url, cluster.node(1).url, "--connections", "40", "--channels", "80",
          "--subscribers", "3", "--rate", "200", "--duration", "2s", "--publish-over", "websocket", "--size",
          "300",
        ]
      )
      let result = try run.good()
      #expect(result.totals.deliveries == result.totals.acknowledged * 3)
      #expect(result.totals.deliveredBytes == result.totals.deliveries * 300)
    }

    @Test func aClosedLoopPublishesThroughTheOperator() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "fanout", cluster.node(0).url, "--connections", "5", "--in-flight", "4", "--duration", "2s",
          "--publish-over", "operator",
        ] + operators(cluster)
      )
      let result = try run.good()
      #expect(result.totals.acknowledged > 50)
      #expect(result.totals.deliveries == result.totals.acknowledged * 5)
    }

    @Test func anIdleClusterDropsNobody() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "idle", cluster.nginx.url, "--connections", "50", "--duration", "3s", "--sources",
          "127.0.0.2-127.0.0.5",
        ]
      )
      let result = try run.good()
      #expect(result.verdict == nil && result.totals.drops == 0 && result.totals.publishes == 0)
      #expect(result.samples.last { $0.atS < 3 }?.connected == 50)
    }

    @Test func aStormIsTimedUntilAllAreBack() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        ["storm", cluster.nginx.url, "--connections", "60", "--channels", "6", "--duration", "6s"]
      )
      let result = try run.good()
      #expect(result.totals.reconnects >= 60 && result.totals.drops == 0)
      #expect(result.timings[.catchUp]?.count == 60)
      #expect(figure(result, "all back after") != nil && figure(result, "all caught up after") != nil)
      #expect(result.marks.contains { $0.kind == .fault })
      #expect(result.away["websocket"].map { $0.count > 0 && $0.max > 0 } == true)
    }

    @Test func whoReturnsGetsWhatWasMissed() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "resume", cluster.nginx.url, "--connections", "60", "--channels", "6", "--duration", "6s", "--away",
          "2s",
        ]
      )
      let result = try run.good()
      #expect(result.timings[.catchUp]?.count == 60)
      #expect(result.totals.deliveries == result.totals.acknowledged * 10)
      #expect(result.away.values.allSatisfy { $0.max > 1_900_000 })
    }

    @Test func slowReadersDisturbNobodyAndCatchUp() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "slow-readers", cluster.node(0).url, "--connections", "40", "--channels", "2", "--rate", "60",
          "--size", "2000", "--duration", "6s", "--slow", "20%@2KB/s",
        ]
      )
      let result = try run.good()
      #expect(result.timings[.catchUp]?.count == 8)
      #expect(figure(result, "p99 of the others meanwhile") != nil)
    }

    @Test func watchersAgreeOnWhoIsThere() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "presence", cluster.nginx.url, "--connections", "40", "--channels", "4", "--duration", "3s",
          "--churn", "10%",
        ]
      )
      let result = try run.good()
      let joins = try #require(figure(result, "joins heard").flatMap { Int($0) })
      let leaves = try #require(figure(result, "leaves heard").flatMap { Int($0) })
      #expect(leaves > 5 && joins == leaves + 40)
    }

    @Test(.timeLimit(.minutes(5))) func everyNodeIsDrainedThroughTheOperator() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await LoadCommandRun(
        cluster,
        [
          "rolling", cluster.nginx.url, "--connections", "80", "--channels", "8", "--drain-window", "3s",
          "--rate", "60",
        ] + operators(cluster)
      )
      let result = try run.good()
      for node in Cluster.nodeNames {
        for state in ["draining", "drained", "ready"] {
          #expect(
            result.marks.contains { $0.kind == .drain && $0.text == "\(node) \(state)" },
            "\(node) \(state)"
          )
        }
      }
      let away = try #require(result.away["websocket"])
      #expect(away.count > 0 && away.max < 1_000)
      #expect(!result.peaks.isEmpty && result.peaks.allSatisfy { $0.planned != nil })
      #expect(figure(result, "sessions closed by force") == "0")
      #expect(figure(result, "members heard to leave") == "0")
    }

    @Test func whoLosesMessagesIsFoundOut() async throws {
      let cluster = try await ClusterTests.cluster()
      let proxy = try await LossyProxy(before: cluster.node(0), droppingEvery: 20)
      let run = try await LoadCommandRun(
        cluster,
        ["fanout", proxy.endpoint.url, "--connections", "10", "--rate", "50", "--duration", "3s"]
      )
      try await proxy.stop()
      #expect(run.status == 1, "\(run.output)")
      let verdict = try #require(run.result?.verdict)
      #expect(proxy.droppedCount > 10)
      #expect(verdict.lost == proxy.droppedCount && verdict.undetected > 0, "\(verdict)")
      #expect(!verdict.examples.isEmpty)
    }

    @Test func aSignalEndsItEarlyWithAVerdict() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try LoadCommandRun.Underway(
        cluster,
        ["fanout", cluster.nginx.url, "--connections", "20", "--rate", "50", "--duration", "10m"]
      )
      try await eventually("measuring", within: .seconds(30)) { run.output.contains("measuring begins") }
      kill(run.process.pid, SIGINT)
      let result = try await run.end(within: .seconds(60)).good()
      #expect(result.elapsedS < 60 && result.verdict?.isClean == true)
      #expect(result.marks.contains { $0.text == "ended early" })
    }

    @Test func whatCannotBeIsSaidBeforeAnythingIsDialled() async throws {
      let cluster = try await ClusterTests.cluster()
      for (arguments, words) in [
        (["fanout", "http://192.0.2.1:80"], "--i-own-this-target"),
        (["fan-out", "http://127.0.0.1:1"], "there is no scenario"),
        (["idle", "http://127.0.0.1:1", "--connections", "90000000"], "--join"),
        (["rolling", "http://127.0.0.1:1"], "--operator"),
        (["--transports", "pigeon"], "--transports"),
      ] {
        let run = try await LoadCommandRun(cluster, arguments)
        #expect(run.status == 64 && run.output.contains(words), "\(arguments): \(run.output)")
      }
      let run = try await LoadCommandRun(cluster, ["idle", "http://127.0.0.1:1", "--connections", "1"])
      #expect(run.status == 1 && run.output.contains("no client could connect"), "\(run.output)")
    }
  }
}
