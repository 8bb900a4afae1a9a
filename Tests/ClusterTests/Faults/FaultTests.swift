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
  /// Nothing is lost, twice, out of order or missing without a word while things go wrong.
  @Suite(.timeLimit(.minutes(5))) struct FaultTests {
    @Test func aNodeIsKilledAndReturns() async throws {
      let outcome = try await FaultRun.during("kill -9 of a node") { run in
        try await run.cluster.kill9("gateway-2")
        try await eventually("everyone elsewhere", within: .seconds(60), every: .milliseconds(100)) {
          try await run.fleet.count { $0.isReady && $0.node != "gateway-2" } == run.fleet.count
        }
        try await run.cluster.up()
      }
      #expect(outcome.verdict.gaps == [:])
    }

    @Test func theFeedIsCutOnEveryNode() async throws {
      let outcome = try await FaultRun.during("the feed cut once") { run in
        let cut = Int(try await run.cluster.redis("CLIENT", "KILL", "TYPE", "pubsub")) ?? 0
        #expect(cut >= 3)
      }
      #expect(outcome.verdict.gaps == [:])
      #expect(outcome.journals.allSatisfy { $0.connections.count == 1 }, "a client was cut")
    }

    @Test func theFeedIsCutAgainAndAgain() async throws {
      let outcome = try await FaultRun.during("the feed cut eight times") { run in
        for _ in 0..<8 {
          try await eventually("feeds to cut", within: .seconds(30)) {
            (Int(try await run.cluster.redis("CLIENT", "KILL", "TYPE", "pubsub")) ?? 0) > 0
          }
          try await Task.sleep(for: .milliseconds(.random(in: 50...800)))
        }
      }
      #expect(outcome.verdict.gaps == [:])
      #expect(outcome.journals.allSatisfy { $0.connections.count == 1 }, "a client was cut")
    }

    @Test func redisIsKilledAndComesBackWithItsLog() async throws {
      let outcome = try await FaultRun.during("Redis killed, back with its log") { run in
        try await run.cluster.kill9("redis")
        try await Task.sleep(for: .seconds(1))
        try await run.cluster.up()
      }
      #expect(outcome.verdict.gaps == [:])
      #expect(outcome.journals.allSatisfy { $0.connections.count == 1 }, "a client was cut")
    }

    @Test func redisIsKilledAndComesBackEmpty() async throws {
      let outcome = try await FaultRun.during("Redis killed, back empty") { run in
        try await run.cluster.kill9("redis")
        try FileManager.default.removeItem(atPath: "\(run.cluster.directory)/redis")
        try await run.cluster.up()
      }
      #expect(outcome.verdict.gaps[.trimmed] == nil)
      for journal in outcome.journals {
        let resets = journal.tracks[0].entries.filter {
          if case .gap(let gap) = $0 { gap.reason == .reset } else { false }
        }
        #expect(!resets.isEmpty, "\(journal.subscriber) was not told of the reset")
      }
    }

    @Test func redisIsFrozenForFiveSeconds() async throws {
      let outcome = try await FaultRun.during("Redis frozen for 5 s") { run in
        try run.cluster.signal("redis", SIGSTOP)
        try await Task.sleep(for: .seconds(5))
        try run.cluster.signal("redis", SIGCONT)
      }
      #expect(outcome.verdict.gaps == [:])
    }

    @Test func aScriptHoldsRedisForTwoSeconds() async throws {
      let outcome = try await FaultRun.during("a script that holds Redis for 2 s") { run in
        let script = """
          local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
          local start = now()
          while now() - start < 2000 do end
          return 'held'
          """
        let answer = try await run.cluster.redis("EVAL", script, "0")
        #expect(answer == "held")
      }
      #expect(outcome.verdict.gaps == [:])
    }

    @Test func nginxIsReloaded() async throws {
      let outcome = try await FaultRun.during("nginx reloaded twice") { run in
        try run.cluster.signal("nginx", SIGHUP)
        try await Task.sleep(for: .seconds(2))
        try run.cluster.signal("nginx", SIGHUP)
      }
      #expect(outcome.verdict.gaps == [:])
    }

    @Test func aTenthReadsSlowlyAndThenAtFullSpeed() async throws {
      let outcome = try await FaultRun.during(
        "a tenth reads at 2 KB/s",
        payload: 1_000,
        shape: { number, settings in
          if number % 10 == 0 { settings.endpoint.readRate = 2_048 }
        }
      ) { run in
        let before = try Cluster.nodeNames.map { try run.cluster.memory(of: $0) }
        var highest = before
        for _ in 0..<30 {
          try await Task.sleep(for: .milliseconds(500))
          for (index, name) in Cluster.nodeNames.enumerated() {
            highest[index] = max(highest[index], try run.cluster.memory(of: name))
          }
        }
        let lagging = try await run.fleet.all {
          $0.settings.endpoint.readRate == nil ? nil : $0.position(at: 0)
        }
        let tails = run.workload.ledger.tails.values.map(\.offset).max() ?? 0
        let behind = lagging.compactMap(\.self).map { tails - min(tails, $0.offset) }
        print("  slow readers are up to \(behind.max() ?? 0) messages behind")
        let grown = zip(highest, before).map { ($0 - $1) >> 20 }
        print("  memory has grown by \(grown) MiB")
        #expect(grown.allSatisfy { $0 <= 20 }, "by \(grown) MiB")
        try await run.fleet.setReadRate(nil)
      }
      #expect(outcome.verdict.gaps == [:])
    }

    @Test func aThirdReconnectsAboutOnceASecond() async throws {
      let outcome = try await FaultRun.during("a third reconnects about once a second") { run in
        try await run.fleet.cutAtRandom(share: 3, period: .seconds(1), for: .seconds(10))
      }
      #expect(outcome.verdict.gaps == [:])
      let reconnects = outcome.journals.reduce(0) { $0 + $1.connections.count - 1 }
      print("  \(reconnects) reconnects")
      #expect(reconnects > outcome.journals.count / 3 * 4)
    }
  }
}
