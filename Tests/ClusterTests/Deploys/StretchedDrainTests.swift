import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// A drain whose window is too short for what the other nodes can take.
  @Suite struct StretchedDrainTests {
    @Test func aDrainWaitsForTheOthers() async throws {
      let cluster = try await ClusterTests.cluster()
      let (rate, count) = (15.0, 180)
      // Everyone comes by nginx, and finds one node that takes them.
      for (index, name) in Cluster.nodeNames.enumerated().dropFirst() {
        #expect(try await cluster.drain(name, over: 0, at: 0).status == .ok)
        try await cluster.wait(for: "drained", of: index)
      }
      let run = try await DeployRun(cluster, count)
      try await run.everyone(on: ["gateway-1"])
      for name in ["gateway-2", "gateway-3"] {
        let flags = ["--accept-rate", "\(Int(rate))", "--accept-burst", "\(Int(rate))"]
        _ = try await ChildNode(insteadOf: name, in: cluster, flags)
      }
      try await eventually("their accept rates", within: .seconds(20), every: .milliseconds(100)) {
        let rates = try await cluster.registry(at: 0)
          .filter { $0["alive"]?.bool == true && $0["node"]?.string != "gateway-1" }
          .compactMap { $0["accept_rate"]?.number }
        return rates.count == 2 && rates.allSatisfy { $0 > 0 && $0 <= rate }
      }
      let began = ContinuousClock.now
      let answer = try await cluster.drain("gateway-1", over: 1, at: 0)
      #expect(answer.object?["state"]?.string == "draining")
      var fastest = 0.0
      try await eventually("a drained gateway-1", within: .seconds(120), every: .milliseconds(50)) {
        let node = try await HTTP.get(cluster.operating(0), "/v1/nodes/gateway-1").object
        fastest = max(fastest, node?["drain"]?.object?["per_second"]?.number ?? 0)
        return node?["state"]?.string == "drained"
      }
      let took = ContinuousClock.now - began
      print("  \(count) clients to two nodes of \(Int(rate)) a second each: drained after \(took)")
      #expect(took > .seconds(Double(count) / (2 * rate) / 2), "it did not wait for the others")
      #expect(fastest <= 2 * rate * 1.1, "\(fastest) a second were sent away")
      let node = try await HTTP.get(cluster.operating(0), "/v1/nodes/gateway-1").object
      #expect(node?["drain"]?.object?["forced"]?.integer == 0)
      try await run.everyone(on: ["gateway-2", "gateway-3"], within: .seconds(60))
      _ = try await run.finish()
      try await cluster.restore(Cluster.nodeNames)
    }
  }
}
