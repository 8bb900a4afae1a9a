import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct PresenceDeathTests {
    /// A value of `?route=` with which nginx goes to this node.
    private func route(to node: String, _ cluster: Cluster) async throws -> String {
      for number in 0..<60 {
        let socket = try await Socket(to: cluster.nginx, path: "/v1/socket?route=\(number)")
        defer { socket.abort() }
        if try await socket.welcome().node == node { return "\(number)" }
      }
      throw Shell.Failed(description: "none of sixty routes leads to \(node)")
    }

    /// Two thirds know no other node and leave, once each; a third comes back through nginx and never left.
    @Test func theSessionsOfAKilledNodeLeaveOnceOrResume() async throws {
      let cluster = try await ClusterTests.cluster()
      let count = PresenceScene.sessions
      let scene = try await PresenceScene(cluster, rooms: max(1, count / 15), watchedOn: [0, 1])
      let route = try await route(to: "gateway-3", cluster)
      let doomed = try await scene.members(count * 2 / 3, at: { _ in cluster.node(2) })
      let mobile = try await scene.members(count - count * 2 / 3, at: { _ in cluster.nginx }, route: route)
      #expect(try await mobile.count { $0.node == "gateway-3" } == mobile.count)
      let (leaving, staying) = (try await doomed.seats(), try await mobile.seats())
      try await scene.heard(leaving.union(staying))

      let killed = ContinuousClock.now
      try await cluster.kill9("gateway-3")
      try await scene.settled("kill -9 of a node with \(count) sessions", on: [0, 1], since: killed) {
        staying
      }
      for watcher in scene.watchers {
        #expect(watcher.leaves.count == leaving.count, "somebody left twice, or who had come back")
        #expect(Set(watcher.leaves) == leaving)
        #expect(watcher.joins.count == count, "somebody joined twice")
      }
      #expect(try await mobile.seats() == staying, "a session was not resumed")
      try await scene.end(doomed, mobile)
      try await cluster.up()
    }
  }
}
