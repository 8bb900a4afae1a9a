import Foundation
import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Which node nginx gives to whom.
  @Suite struct StickinessTests {
    @Test func aClientKeepsItsNodeOverReconnects() async throws {
      let cluster = try await ClusterTests.cluster()
      for _ in 0..<10 {
        let first = try await Socket(to: cluster.nginx)
        let cookie = try #require(
          try await first.opened().headers["Set-Cookie"].first { $0.hasPrefix("sluice_route=") }
        )
        #expect(cookie.contains("HttpOnly"))
        let node = try await first.welcome().node
        first.abort()
        let headers: HTTPHeaders = ["Cookie": String(cookie.prefix { $0 != ";" })]
        for _ in 0..<5 {
          let again = try await Socket(to: cluster.nginx, headers: headers)
          #expect(try await again.welcome().node == node)
          #expect(try await again.opened().headers["Set-Cookie"] == [])
          again.abort()
        }
        let stream = try await Stream(to: cluster.nginx, "channels=room:sticky", headers: headers)
        guard case .welcome(_, node, _, _) = try await stream.event("welcome").content else {
          Issue.record("the stream is on another node than the WebSocket")
          return
        }
        stream.abort()
      }
    }

    @Test func aClientWithoutCookiesMaySayItsRoute() async throws {
      let cluster = try await ClusterTests.cluster()
      var nodes: Set<String> = []
      for route in 0..<12 {
        var mine: Set<String> = []
        for _ in 0..<3 {
          let socket = try await Socket(to: cluster.nginx, path: "/v1/socket?route=r\(route)")
          mine.insert(try await socket.welcome().node)
          socket.abort()
        }
        #expect(mine.count == 1)
        nodes.formUnion(mine)
      }
      #expect(nodes.count > 1)
    }

    /// While a node drains, nobody is refused by it again and again.
    @Test func aClientWhomAnotherNodeTookBelongsToThatOne() async throws {
      let cluster = try await ClusterTests.cluster()
      var headers: HTTPHeaders = [:]
      func ask() async throws -> (node: String, cookie: String?) {
        let socket = try await Socket(to: cluster.nginx, headers: headers)
        let cookie = try await socket.opened().headers["Set-Cookie"].first { $0.hasPrefix("sluice_route=") }
        let node = try await socket.welcome().node
        socket.abort()
        if let cookie { headers = ["Cookie": String(cookie.prefix { $0 != ";" })] }
        return (node, cookie)
      }
      let first = try await ask()
      #expect(first.cookie != nil)
      let index = try #require(Cluster.nodeNames.firstIndex(of: first.node))
      #expect(try await cluster.drain(first.node, at: index).status == .ok)
      try await eventually("another node takes it") { try await ask().node != first.node }
      // Each new cookie leads to the draining node with a chance of a third.
      try await eventually("no other cookie") { try await ask().cookie == nil }
      let settled = try await ask()
      for _ in 0..<3 {
        let again = try await ask()
        #expect(again.node == settled.node && again.cookie == nil)
      }
      #expect(try await cluster.undrain(first.node, at: index).status == .ok)
      try await cluster.wait(for: "ready", of: index)
    }

    private func fleet(_ cluster: Cluster, _ count: Int) async throws -> Fleet {
      let room = try #require(ChannelName("room:spread"))
      return try await Fleet(
        (0..<count).map { number in
          var settings = SubscriberSettings(name: "\(number)", endpoint: cluster.nginx, channels: [room])
          settings.transport = number.isMultiple(of: 3) ? .eventStream : .webSocket
          return settings
        },
        over: .seconds(1)
      )
    }

    @Test func threeNodesShareNewClientsAndAStoppedOneMovesOnlyItsOwn() async throws {
      let cluster = try await ClusterTests.cluster()
      let fleet = try await fleet(cluster, 300)
      try await fleet.ready()
      let before = try await homes(fleet)
      let shares = Cluster.nodeNames.map { name in before.values.count { $0 == name } }
      #expect(shares.reduce(0, +) == 300)
      #expect(shares.max()! <= 2 * shares.min()!, "the shares are \(shares)")

      try await cluster.kill9("gateway-2")
      try await eventually("everyone's return", within: .seconds(30), every: .milliseconds(50)) {
        let now = try await homes(fleet)
        return now.count == 300 && !now.values.contains("gateway-2")
      }
      for journal in try await fleet.journals() {
        let wasThere = before[journal.subscriber] == "gateway-2"
        #expect(
          wasThere == (journal.connections.count > 1),
          "\(journal.subscriber) of \(before[journal.subscriber] ?? "nowhere"): \(journal.connections)"
        )
      }
      // The orphans went to both that were left.
      let after = try await homes(fleet)
      let taken = ["gateway-1", "gateway-3"].map { name in
        after.count { before[$0.key] == "gateway-2" && $0.value == name }
      }
      #expect(taken.allSatisfy { $0 > 0 }, "\(taken)")
      try await fleet.stop()
      try await cluster.up()
    }

    /// The node of each subscriber that is connected.
    private func homes(_ fleet: Fleet) async throws -> [String: String] {
      let homes = try await fleet.all { ($0.settings.name, $0.isReady ? $0.node : nil) }
      return Dictionary(uniqueKeysWithValues: homes.compactMap { name, node in node.map { (name, $0) } })
    }
  }
}
