import Foundation
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Members of a channel, as seen from every node.
  @Suite struct PresenceTests {
    private func joins(_ socket: Socket, _ channel: String) -> [String] {
      socket.events.compactMap {
        if case .join(let joined, let member) = $0, joined.text == channel { member.id } else { nil }
      }
    }

    private func leaves(_ socket: Socket, _ channel: String) -> [String] {
      socket.events.compactMap {
        if case .leave(let left, let member) = $0, left.text == channel { member.id } else { nil }
      }
    }

    private func members(_ cluster: Cluster, _ channel: String, on node: Int) async throws -> Set<String> {
      let response = try await HTTP.get(cluster.node(node), "/v1/channels/\(channel)/presence")
      let members = response.object?["members"]?.elements?.compactMap { $0.object?["member"]?.string } ?? []
      #expect(response.object?["count"]?.integer == Int64(members.count), "\(response.text)")
      return Set(members)
    }

    @Test func joinsAndLeavesAreHeardOnEveryNode() async throws {
      let cluster = try await ClusterTests.cluster()
      let watcher = try await Socket(to: cluster.node(0))
      try await watcher.subscribe("room:who", presence: .watch)
      let ada = try await Socket(to: cluster.node(1))
      let adasID = try await ada.welcome().session.member
      try await ada.subscribe("room:who", presence: .join)
      let bob = try await Stream(to: cluster.node(2), "channels=room:who&presence=join")
      guard case .welcome(let bobs, _, _, _) = try await bob.event("welcome").content else { return }
      for socket in [watcher, ada] {
        try await eventually("both joins") { Set(joins(socket, "room:who")) == [adasID, bobs.member] }
      }
      #expect(try await bob.event("join").name == "join")
      for node in 0..<3 {
        try await eventually("two members on \(Cluster.nodeNames[node])") {
          try await members(cluster, "room:who", on: node) == [adasID, bobs.member]
        }
      }
      ada.close()
      try await eventually("one leave") { leaves(watcher, "room:who") == [adasID] }
      _ = try await bob.event("leave")
      #expect(try await members(cluster, "room:who", on: 0) == [bobs.member])
      bob.abort()
      try await eventually("both leaves") { leaves(watcher, "room:who") == [adasID, bobs.member] }
      watcher.abort()
    }

    @Test func whoComesBackWithItsSessionNeverLeft() async throws {
      let cluster = try await ClusterTests.cluster()
      let watcher = try await Socket(to: cluster.node(0))
      try await watcher.subscribe("room:back", presence: .watch)
      let first = try await Socket(to: cluster.node(1))
      let session = try await first.welcome().session
      try await first.subscribe("room:back", presence: .join)
      try await eventually("the join") { joins(watcher, "room:back") == [session.member] }
      first.abort()
      let second = try await Socket(to: cluster.node(2), path: "/v1/socket?session=\(session.secret)")
      try await second.subscribe("room:back", presence: .join)
      // The grace is 3 s; a leave that is not cancelled has come by then.
      let other = try await Socket(to: cluster.node(1))
      let othersID = try await other.welcome().session.member
      try await Task.sleep(for: .seconds(4))
      try await other.subscribe("room:back", presence: .join)
      try await eventually("the other's join") { joins(watcher, "room:back").contains(othersID) }
      #expect(leaves(watcher, "room:back") == [])
      #expect(joins(watcher, "room:back") == [session.member, othersID])
      for socket in [watcher, second, other] { socket.abort() }
    }

    @Test func theMembersOfADeadNodeLeaveWithinTenSecondsOnceEach() async throws {
      let cluster = try await ClusterTests.cluster()
      let watcher = try await Socket(to: cluster.node(0))
      try await watcher.subscribe("room:dead", presence: .watch)
      var dying: Set<String> = []
      for _ in 0..<10 {
        let socket = try await Socket(to: cluster.node(2))
        dying.insert(try await socket.welcome().session.member)
        try await socket.subscribe("room:dead", presence: .join)
      }
      let survivor = try await Socket(to: cluster.node(1))
      let survivorsID = try await survivor.welcome().session.member
      try await survivor.subscribe("room:dead", presence: .join)
      try await eventually("eleven joins") { Set(joins(watcher, "room:dead")).count == 11 }

      try await cluster.kill9("gateway-3")
      try await eventually("ten leaves", within: .seconds(10)) { leaves(watcher, "room:dead").count >= 10 }
      try await eventually("an empty seat") {
        try await members(cluster, "room:dead", on: 1) == [survivorsID]
      }
      try await cluster.up()
      #expect(leaves(watcher, "room:dead").count == 10)
      #expect(Set(leaves(watcher, "room:dead")) == dying)
      for socket in [watcher, survivor] { socket.abort() }
    }
  }
}
