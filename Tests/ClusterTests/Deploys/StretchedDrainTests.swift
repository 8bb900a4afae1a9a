import LoadTesting
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
      try await accept(rate, on: ["gateway-2", "gateway-3"], of: cluster)
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

    /// What the third takes they share: each at the whole of it had sent it twice as many as it lets in.
    @Test func twoDrainsAtOnceSendNoMoreThanTheThirdTakes() async throws {
      let cluster = try await ClusterTests.cluster()
      let (rate, count, memberCount) = (10.0, 90, 30)
      #expect(try await cluster.drain("gateway-3", over: 0, at: 0).status == .ok)
      try await cluster.wait(for: "drained", of: 2)
      let run = try await DeployRun(cluster, count, [.webSocket, .eventStream], rate: 20)
      let room = try #require(ChannelName("room:shared-\(UInt32.random(in: .min ... .max))"))
      let watcher = try await PresenceWatcher(of: [room], at: cluster.nginx)
      let members = try await Fleet(
        (0..<memberCount).map { number in
          var settings = SubscriberSettings(
            name: "member \(number)",
            endpoint: cluster.nginx,
            channels: [room]
          )
          settings.presence = .join
          return settings
        },
        over: .milliseconds(300)
      )
      try await members.ready()
      try await run.everyone(on: ["gateway-1", "gateway-2"])
      try await eventually("all members", holds: { watcher.present.count == memberCount })

      try await accept(rate, on: ["gateway-3"], of: cluster)
      let draining = Cluster.nodeNames.prefix(2)
      for name in draining {
        #expect(try await cluster.drain(name, over: 4, at: 2).object?["state"]?.string == "draining")
      }
      var fastest = 0.0
      var knowEachOther = false
      try await eventually("two drained nodes", within: .seconds(90), every: .milliseconds(50)) {
        var pace = 0.0
        var drained = 0
        for (index, name) in draining.enumerated() {
          let node = try await HTTP.get(cluster.operating(index), "/v1/nodes/\(name)").object
          pace += node?["drain"]?.object?["per_second"]?.number ?? 0
          drained += node?["state"]?.string == "drained" ? 1 : 0
        }
        // They look at each other once a second, and do not know of each other before.
        knowEachOther = knowEachOther || (pace > 0 && pace <= rate * 1.3)
        if knowEachOther { fastest = max(fastest, pace) }
        return drained == 2
      }
      print("  two drains sent \(fastest) a second at the most to a node that takes \(Int(rate))")
      #expect(knowEachOther && fastest <= rate * 1.3, "\(fastest) a second were sent away")
      for (index, name) in draining.enumerated() {
        let node = try await HTTP.get(cluster.operating(index), "/v1/nodes/\(name)").object
        #expect(node?["drain"]?.object?["forced"]?.integer == 0, "\(name)")
      }
      try await run.everyone(on: ["gateway-3"], within: .seconds(60))
      #expect(watcher.leaves == [])
      #expect(watcher.present.count == memberCount)
      _ = try await run.finish()
      try await members.stop()
      watcher.stop()
      try await cluster.restore(Cluster.nodeNames)
    }

    /// Puts nodes in the place of these that let so many in a second, and waits until the first of the cluster knows.
    private func accept(_ rate: Double, on names: [String], of cluster: Cluster) async throws {
      for name in names {
        let flags = ["--accept-rate", "\(Int(rate))", "--accept-burst", "\(Int(rate))"]
        _ = try await ChildNode(insteadOf: name, in: cluster, flags)
      }
      try await eventually("their accept rates", within: .seconds(20), every: .milliseconds(100)) {
        let rates = try await cluster.registry(at: 0)
          .filter { $0["alive"]?.bool == true && names.contains($0["node"]?.string ?? "") }
          .compactMap { $0["accept_rate"]?.number }
        return rates.count == names.count && rates.allSatisfy { $0 > 0 && $0 <= rate }
      }
    }
  }
}
