import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct RegistryTests {
    @Test func itShowsWhatEveryNodeDoes() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(1))
      try await socket.subscribe("room:registry")
      for number in 0..<20 {
        #expect(try await HTTP.publish("room:registry", "\(number)", to: cluster.node(1)).status == .created)
      }
      try await eventually("rates of gateway-2, said by gateway-1", every: .milliseconds(100)) {
        let node = try await cluster.registry(at: 0).first {
          $0["node"]?.string == "gateway-2" && $0["alive"]?.bool == true
        }
        guard let node, let rates = node["rates"]?.object else { return false }
        return Self.number(rates["messages_in"]) > 1 && Self.number(rates["messages_out"]) > 1
          && Self.number(rates["connects"]) > 0 && (node["memory_bytes"]?.integer ?? 0) > 1 << 20
          && Self.number(node["accept_rate"]) > 0 && node["loop_lag_ms"] != nil
          && node["health"]?.object?["publish"]?.bool == true && node["health"]?.object?["feed"]?.bool == true
          && (node["connections"]?.object?["websocket"]?.integer ?? 0) >= 1
      }
      let table = try await cluster.sluice("nodes", at: 0)
      #expect(table.status == 0)
      #expect(table.output.contains("ACCEPT/S"))
      let top = try await cluster.sluice("top", "--json", "--count", "2", at: 2)
      #expect(top.status == 0, "\(top.output)")
      let views = top.output.split(separator: "\n")
      #expect(views.count == 2)
      for view in views {
        let nodes = try JSONObject(ByteBuffer(string: String(view)))["nodes"]?.elements?.compactMap(\.object)
        let names = nodes?.filter { $0["alive"]?.bool == true }.compactMap { $0["node"]?.string }
        #expect(Set(names ?? []) == Set(Cluster.nodeNames))
      }
      socket.abort()
    }

    private static func number(_ field: JSONField?) -> Double {
      field.flatMap { Double(String(buffer: $0.bytes)) } ?? 0
    }

    @Test func aNodeThatIsStartedAgainIsAnotherOne() async throws {
      let cluster = try await ClusterTests.cluster()
      let before = try await HTTP.get(cluster.operating(1), "/v1/nodes/gateway-2").object
      let old = try #require(before?["incarnation"]?.string)
      let killedAt = ContinuousClock.now
      _ = try await ChildNode(insteadOf: "gateway-2", in: cluster)
      // Never twice alive, from the first moment on; dead for all within ten seconds of the kill.
      try await eventually("a dead earlier gateway-2", within: .seconds(12), every: .milliseconds(50)) {
        let both = try await cluster.registry(at: 0).filter { $0["node"]?.string == "gateway-2" }
        let living = both.filter { $0["alive"]?.bool == true }
        #expect(living.count <= 1)
        guard let new = living.first?["incarnation"]?.string, new != old else { return false }
        let earlier = both.first { $0["incarnation"]?.string == old }
        return earlier?["state"]?.string == "dead" && earlier?["replaced_by"]?.string == new
      }
      #expect(ContinuousClock.now - killedAt < .seconds(10))
      // Its name means the one that lives; its incarnation means itself.
      let drained = try await cluster.drain("gateway-2", over: 0, at: 0)
      #expect(drained.status == .ok, "\(drained.text)")
      #expect(drained.object?["incarnation"]?.string != old)
      #expect(try await cluster.undrain("gateway-2", at: 2).status == .ok)
      let dead = try await cluster.drain(old.replacing("/", with: "%2F"), at: 0)
      #expect(dead.status == .serviceUnavailable)
      #expect(dead.text.contains("dead"))
      try await cluster.restore(["gateway-2"])
    }
  }
}
