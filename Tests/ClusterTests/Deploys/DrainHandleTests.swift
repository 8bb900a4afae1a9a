import Foundation
import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// Drains by command.
  @Suite struct DrainHandleTests {
    @Test func anyNodeDrainsAnyNode() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await DeployRun(cluster, 90)
      let answer = try await cluster.drain("gateway-2", over: 2, at: 0)
      #expect(answer.status == .ok)
      #expect(answer.object?["node"]?.string == "gateway-2")
      #expect(answer.object?["state"]?.string == "draining")
      #expect((answer.object?["drain"]?.object?["remaining"]?.integer ?? 0) > 0)
      let waited = try await cluster.sluice("drain", "gateway-2", "--over", "2s", at: 2)
      #expect(waited.status == 0, "\(waited.output)")
      #expect(waited.output.contains("left"))
      #expect(waited.output.hasSuffix("gateway-2 is drained\n"), "\(waited.output)")
      #expect(try await cluster.state(of: 1) == "drained")
      #expect(try await HTTP.get(cluster.node(1), "/readyz").status == .serviceUnavailable)
      try await run.everyone(on: ["gateway-1", "gateway-3"])
      let log = try String(contentsOfFile: "\(cluster.directory)/logs/gateway-2.log", encoding: .utf8)
      #expect(log.contains("an operator drains the node"))

      let undrained = try await cluster.sluice("undrain", "gateway-2", at: 0)
      #expect(undrained.status == 0, "\(undrained.output)")
      #expect(undrained.output == "gateway-2 is ready\n")
      #expect(try await HTTP.get(cluster.node(1), "/readyz").status == .ok)
      _ = try await run.finish()
      let nobody = try await cluster.sluice("drain", "nobody", at: 0)
      #expect(nobody.status != 0)
      #expect(nobody.output.contains("there is no node nobody"))
    }

    /// The second signal cuts off whoever is left: that is no end of a drain.
    @Test func aDrainThatIsCutShortHasFailed() async throws {
      let cluster = try await ClusterTests.cluster()
      let child = try await ChildNode(insteadOf: "gateway-3", in: cluster)
      let socket = try await Socket(to: cluster.node(2))
      _ = try await socket.welcome()
      let following = "\(cluster.directory)/cut-short"
      let waiting = try ChildProcess(
        cluster.sluiceCommand(["drain", "gateway-3", "--over", "60s"], at: 0),
        output: following
      )
      try await eventually("somebody who waits") {
        (try? String(contentsOfFile: following, encoding: .utf8))?.contains("gateway-3: 1 of 1 left") == true
      }
      // Two that come at once are one to the system.
      try await eventually("the end of gateway-3", every: .milliseconds(200)) {
        guard let pid = cluster.pid(of: "gateway-3") else { return true }
        kill(pid, SIGTERM)
        return false
      }
      #expect(try await child.exitStatus() == 1)
      #expect(try await waiting.exit(within: .seconds(40)) == 1)
      try await cluster.up()
    }

    @Test func aCommandDoesNotWaitWhenToldSo() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(1))
      _ = try await socket.welcome()
      let outcome = try await cluster.sluice(
        "drain",
        "gateway-2",
        "--over",
        "60s",
        "--no-wait",
        "--json",
        at: 0
      )
      #expect(outcome.status == 0)
      let node = try JSONObject(ByteBuffer(string: outcome.output.trimmingCharacters(in: .newlines)))
      #expect(node["state"]?.string == "draining")
      // Somebody waits, and another one calls it off.
      let following = "\(cluster.directory)/following"
      let waiting = try ChildProcess(
        cluster.sluiceCommand(["drain", "gateway-2", "--over", "60s"], at: 2),
        output: following
      )
      try await eventually("somebody who waits") {
        (try? String(contentsOfFile: following, encoding: .utf8))?.contains("gateway-2: 1 of 1 left") == true
      }
      #expect(try await cluster.undrain("gateway-2", at: 0).object?["state"]?.string == "ready")
      #expect(try await waiting.exit(within: .seconds(10)) != 0)
      #expect(try String(contentsOfFile: following, encoding: .utf8).contains("called off"))

      // Who is interrupted leaves the drain as it is.
      let output = "\(cluster.directory)/interrupted"
      let child = try ChildProcess(
        cluster.sluiceCommand(["drain", "gateway-2", "--over", "60s"], at: 2),
        output: output
      )
      try await eventually("a line of progress") {
        (try? String(contentsOfFile: output, encoding: .utf8))?.contains("gateway-2: 1 of 1 left") == true
      }
      kill(child.pid, SIGINT)
      #expect(try await child.exit(within: .seconds(5)) == 130)
      #expect(try String(contentsOfFile: output, encoding: .utf8).contains("the drain of gateway-2 goes on"))
      #expect(try await cluster.state(of: 1) == "draining")
      #expect(try await cluster.undrain("gateway-2", at: 1).status == .ok)
      socket.abort()
    }

    @Test func whoIsThereWhenADrainIsUndoneStays() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await DeployRun(cluster, 90)
      // These do not do what goaway says.
      var held: [Socket] = []
      for _ in 0..<6 {
        let socket = try await Socket(to: cluster.node(1))
        try await socket.subscribe("room:undrain")
        held.append(socket)
      }
      #expect(try await cluster.drain("gateway-2", over: 3, at: 2).status == .ok)
      try await eventually("a goodbye to half of them") {
        held.count { $0.events.contains { if case .goaway = $0 { true } else { false } } } >= 3
      }
      let told = ContinuousClock.now
      let answer = try await cluster.undrain("gateway-2", at: 0)
      #expect(answer.status == .ok)
      #expect(answer.object?["state"]?.string == "ready")
      #expect(answer.object?["drain"] == nil)
      #expect(try await HTTP.get(cluster.node(1), "/readyz").status == .ok)
      // Beyond the moment at which those who were told would have been closed.
      while ContinuousClock.now - told < .seconds(13) {
        #expect(
          held.allSatisfy { !$0.isClosed },
          "someone was closed \(ContinuousClock.now - told) after a goodbye"
        )
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(try await HTTP.publish("room:undrain", "\"still\"", to: cluster.node(0)).status == .created)
      for socket in held { try await socket.message("\"still\"") }
      #expect(try await cluster.metric("sluice_drain_forced_total", of: 1) == 0)
      held.append(try await Socket(to: cluster.node(1)))
      _ = try await held.last?.welcome()
      _ = try await run.finish()
      for socket in held { socket.abort() }
    }

    @Test func twoDrainsAtOnceLeaveEveryoneOnTheThird() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await DeployRun(cluster, 90)
      async let one = cluster.drain("gateway-1", over: 2, at: 2)
      async let two = cluster.drain("gateway-2", over: 2, at: 0)
      #expect(try await one.status == .ok)
      #expect(try await two.status == .ok)
      try await cluster.wait(for: "drained", of: 0)
      try await cluster.wait(for: "drained", of: 1)
      try await run.everyone(on: ["gateway-3"])
      for index in 0..<2 {
        let node = try await HTTP.get(cluster.operating(index), "/v1/nodes/\(Cluster.nodeNames[index])")
          .object
        #expect(node?["drain"]?.object?["forced"]?.integer == 0)
        #expect(try await cluster.undrain(Cluster.nodeNames[index], at: 2).status == .ok)
      }
      _ = try await run.finish()
    }

    /// Nobody can take the sessions: the drain goes on all the same, and clients are told when to try again.
    @Test func theLastNodeStandingIsDrainedToo() async throws {
      let cluster = try await ClusterTests.cluster()
      let run = try await DeployRun(cluster, 30)
      for name in ["gateway-1", "gateway-2"] {
        #expect(try await cluster.drain(name, over: 0, at: 2).status == .ok)
      }
      try await run.everyone(on: ["gateway-3"])
      // One that ignores its goodbye, which is closed for it and counted.
      let stubborn = try await Socket(to: cluster.node(2))
      try await stubborn.subscribe("room:last")
      let began = ContinuousClock.now
      #expect(try await cluster.drain("gateway-3", over: 2, at: 0).status == .ok)
      try await eventually("a refusing gateway-3") { try await cluster.state(of: 2) == "draining" }
      let refused = try await Socket(to: cluster.nginx)
      guard case .refused(let answer) = try await refused.closure() else {
        Issue.record("a WebSocket was taken by nobody")
        return
      }
      #expect(answer.status == 503)
      #expect(answer.headers.first(name: "Retry-After") != nil)
      let stream = try await Stream(to: cluster.nginx, "channels=room:last")
      #expect(try await stream.opened().status == .ok)
      _ = try await stream.item("a retry") { if case .retry = $0 { true } else { nil } }

      #expect(try await stubborn.closeCode(within: .seconds(20)) == 1012)
      try await cluster.wait(for: "drained", of: 2)
      let limit = Cluster.settle + .seconds(2 + 12)
      #expect(ContinuousClock.now - began < limit + .seconds(3))
      let node = try await HTTP.get(cluster.operating(2), "/v1/nodes/gateway-3").object
      // Also the subscribers that could go nowhere before they let go.
      let forced = try #require(node?["drain"]?.object?["forced"]?.integer)
      #expect(forced >= 1)
      #expect(try await cluster.metric("sluice_drain_forced_total", of: 2) >= Double(forced))

      for name in Cluster.nodeNames { #expect(try await cluster.undrain(name, at: 0).status == .ok) }
      try await run.everyone(on: Cluster.nodeNames)
      _ = try await run.finish()
    }
  }
}
