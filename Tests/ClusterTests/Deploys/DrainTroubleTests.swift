import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// Drains of nodes that do not hear of it, and without Redis.
  @Suite struct DrainTroubleTests {
    @Test func aFrozenNodeIsNotDrainedAndNotLaterEither() async throws {
      let cluster = try await ClusterTests.cluster()
      let node = try await HTTP.get(cluster.operating(1), "/v1/nodes/gateway-2").object
      let incarnation = try #require(node?["incarnation"]?.string)
      try cluster.signal("gateway-2", SIGSTOP)
      let began = ContinuousClock.now
      let answer: HTTPResponse
      do {
        answer = try await cluster.drain("gateway-2", over: 0, at: 0)
      } catch {
        try cluster.signal("gateway-2", SIGCONT)
        throw error
      }
      #expect(ContinuousClock.now - began < .seconds(7))
      #expect(answer.status == .serviceUnavailable)
      #expect(answer.problem == "unavailable")
      #expect(answer.text.contains("gateway-2"), "\(answer.text)")
      #expect(answer.text.contains("withdrawn"), "\(answer.text)")
      // It is dead when its lease is over, and comes back when it wakes.
      try await eventually("a dead gateway-2", within: .seconds(10), every: .milliseconds(50)) {
        try await cluster.registry(at: 0).contains {
          $0["incarnation"]?.string == incarnation && $0["state"]?.string == "dead"
            && $0["alive"]?.bool == false
        }
      }
      let dead = try await cluster.drain("gateway-2", at: 2)
      #expect(dead.status == .serviceUnavailable)
      #expect(dead.text.contains("dead"), "\(dead.text)")
      try cluster.signal("gateway-2", SIGCONT)
      try await eventually("gateway-2 as it was", every: .milliseconds(50)) {
        try await cluster.registry(at: 0).contains {
          $0["incarnation"]?.string == incarnation && $0["state"]?.string == "ready"
            && $0["alive"]?.bool == true
        }
      }
      try await eventually("a ready gateway-2") {
        try await HTTP.get(cluster.node(1), "/readyz").status == .ok
      }
      // The command that it did not take in time has left no trace.
      let log = try await cluster.sluice("nodes", at: 1)
      #expect(log.status == 0)
      #expect(try await cluster.state(of: 1) == "ready")
      #expect(try await cluster.drain("gateway-2", over: 0, at: 0).object?["state"]?.string == "draining")
      #expect(try await cluster.undrain("gateway-2", at: 0).object?["state"]?.string == "ready")
    }

    /// It was let in, and found its channel when the node had nobody left.
    @Test func whoWasOnTheWayInWhenTheDrainEndedIsSentAway() async throws {
      let cluster = try await ClusterTests.cluster()
      let redis = "redis://127.0.0.1:\(cluster.redisPort)/5"
      try await LoneNode.run(["--redis", redis, "--node", "late", "--settle", "0s"]) { node in
        try cluster.signal("redis", SIGSTOP)
        let stream: Stream
        do {
          stream = try await Stream(to: node.endpoint, "channels=room:late")
          let atOnce = ByteBuffer(string: #"{"over_seconds":0}"#)
          let drain = HTTPRequest(.POST, "/v1/nodes/late/drain", body: atOnce)
          #expect(try await HTTP.send(drain, to: node.backends).status == .ok)
          try await eventually("a drained node") {
            try await Metrics.value(#"sluice_node_state{state="drained"}"#, of: node.backends) == 1
          }
        } catch {
          try cluster.signal("redis", SIGCONT)
          throw error
        }
        try cluster.signal("redis", SIGCONT)
        guard case .ended = try await stream.closure() else {
          Issue.record("it was not sent away")
          return
        }
        try await eventually("nobody held") {
          try await Metrics.value(#"sluice_connections{transport="sse"}"#, of: node.backends) == 0
        }
      }
    }

    /// Whoever is in the middle of something when the node ends by a fault is to be elsewhere at once.
    @Test func aCrashEndsTheProcessAtOnce() async throws {
      try await LoneNode.run([]) { node in
        let socket = try await Socket(to: node.endpoint)
        _ = try await socket.welcome()
        kill(node.process.pid, SIGILL)
        #expect(try await node.process.exit(within: .seconds(5)) == 128 + SIGILL)
        _ = try await socket.closure(within: .seconds(5))
      }
    }

    @Test func withoutRedisANodeDrainsItself() async throws {
      let cluster = try await ClusterTests.cluster()
      let child = try await ChildNode(insteadOf: "gateway-3", in: cluster)
      let sockets = [try await Socket(to: cluster.node(1)), try await Socket(to: cluster.node(2))]
      for socket in sockets { _ = try await socket.welcome() }
      try await cluster.kill9("redis")
      try await eventually("an unready gateway-1") {
        try await HTTP.get(cluster.node(0), "/readyz").status == .serviceUnavailable
      }
      let elsewhere = try await cluster.drain("gateway-2", over: 0, at: 0)
      #expect(elsewhere.status == .serviceUnavailable)
      #expect(elsewhere.problem == "unavailable")
      #expect(elsewhere.text.contains("its own operator listener"), "\(elsewhere.text)")

      // The node that is asked is shown, and that it is not all.
      let list = try await HTTP.get(cluster.operating(0), "/v1/nodes")
      #expect(list.status == .ok)
      let shown = try #require(list.object?["nodes"]?.elements).compactMap(\.object)
      #expect(shown.map { $0["node"]?.string } == ["gateway-1"])
      #expect(list.object?["problem"]?.string?.isEmpty == false, "\(list.text)")
      #expect(try await HTTP.get(cluster.operating(0), "/v1/nodes/gateway-2").status == .serviceUnavailable)
      for flags in [[], ["--json"]] {
        let nodes = try await Shell.run(
          cluster.sluiceCommand(["nodes"] + flags, at: 0),
          in: cluster.directory
        )
        #expect(nodes.status == 1)
        #expect(nodes.output.contains("gateway-1"), "\(nodes.output)")
        #expect(nodes.output.contains("the other nodes cannot be listed: "), "\(nodes.output)")
      }

      // At its own listener, and by a signal.
      async let command = cluster.sluice("drain", "gateway-2", "--over", "1s", at: 1)
      try cluster.signal("gateway-3", SIGTERM)
      for socket in sockets {
        _ = try await socket.event("goaway") { if case .goaway = $0 { true } else { nil } }
        socket.close()
      }
      let outcome = try await command
      #expect(outcome.status == 0, "\(outcome.output)")
      #expect(outcome.output.contains("gateway-2 is drained"))
      #expect(try await cluster.state(of: 1) == "drained")
      #expect(try await child.exitStatus() == 0)
      #expect(try await cluster.undrain("gateway-2", at: 1).object?["state"]?.string == "ready")
      try await cluster.up()
    }
  }
}
