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
  /// Who applies joins and leaves to a set has the truth within ten seconds after any fault.
  @Suite struct PresenceFaultTests {
    private func scene(_ cluster: Cluster) async throws -> (PresenceScene, staying: Fleet, leaving: Fleet) {
      let scene = try await PresenceScene(cluster, rooms: 2, watchedOn: [0, 1, 2])
      let staying = try await scene.members(45, at: { cluster.node($0 % 3) })
      let leaving = try await scene.members(9, at: { cluster.node($0 % 3) })
      try await scene.heard(try await staying.seats().union(try await leaving.seats()))
      return (scene, staying, leaving)
    }

    @Test func redisComesBackEmpty() async throws {
      let cluster = try await ClusterTests.cluster()
      let (scene, staying, leaving) = try await scene(cluster)
      let gone = try await leaving.seats()
      try await cluster.kill9("redis")
      try await leaving.stop()
      try FileManager.default.removeItem(atPath: "\(cluster.directory)/redis")
      let back = ContinuousClock.now
      try await cluster.up()
      try await scene.settled("Redis back empty", since: back) { try await staying.seats() }
      for watcher in scene.watchers { #expect(Set(watcher.leaves).isSubset(of: gone)) }
      for watcher in scene.watchers { #expect(watcher.leaves.count == gone.count, "somebody left twice") }
      try await scene.end(staying)
    }

    @Test func redisComesBackWithItsLog() async throws {
      let cluster = try await ClusterTests.cluster()
      let (scene, staying, leaving) = try await scene(cluster)
      try await cluster.kill9("redis")
      try await leaving.stop()
      let back = ContinuousClock.now
      try await cluster.up()
      try await scene.settled("Redis back with its log", since: back) { try await staying.seats() }
      for watcher in scene.watchers { #expect(watcher.leaves.count == 9, "somebody left twice") }
      try await scene.end(staying)
    }

    /// Longer than a lease.
    @Test func redisIsFrozen() async throws {
      let cluster = try await ClusterTests.cluster()
      let (scene, staying, leaving) = try await scene(cluster)
      try cluster.signal("redis", SIGSTOP)
      try await leaving.stop()
      try await Task.sleep(for: .seconds(8))
      try cluster.signal("redis", SIGCONT)
      let back = ContinuousClock.now
      try await scene.settled("Redis frozen for 8 s", since: back) { try await staying.seats() }
      for watcher in scene.watchers { #expect(watcher.leaves.count == 9, "somebody left twice") }
      try await scene.end(staying)
    }

    /// What happens while nobody hears it.
    @Test func theFeedsAreCutWhileMembersComeAndGo() async throws {
      let cluster = try await ClusterTests.cluster()
      let (scene, staying, leaving) = try await scene(cluster)
      try await leaving.stop()
      let until = ContinuousClock.now + .seconds(5)
      var late: [Fleet] = []
      while ContinuousClock.now < until {
        _ = try await cluster.redis("CLIENT", "KILL", "TYPE", "pubsub")
        if late.count < 4 { late.append(try await scene.members(3, at: { cluster.node($0 % 3) })) }
      }
      let back = ContinuousClock.now
      try await scene.settled("feeds cut for 5 s", since: back) {
        var seats = try await staying.seats()
        for fleet in late { seats.formUnion(try await fleet.seats()) }
        return seats
      }
      for fleet in late { try await fleet.stop() }
      try await scene.end(staying)
    }

    /// Its members leave, once, and are joined again when it goes on.
    @Test func aNodeIsFrozenBeyondItsLease() async throws {
      let cluster = try await ClusterTests.cluster()
      let (scene, staying, leaving) = try await scene(cluster)
      let frozen = Set(
        try await staying.all { $0.node == "gateway-3" ? $0.settings.name : nil }.compactMap(\.self)
      )
      #expect(frozen.count == 15)
      let all = try await staying.seats()
      let before = scene.watchers[0].leaves.count
      try cluster.signal("gateway-3", SIGSTOP)
      let stopped = ContinuousClock.now
      try await eventually("the frozen node's members to leave", within: PresenceScene.soon) {
        scene.watchers.prefix(2).allSatisfy { $0.leaves.count >= before + 18 } ? true : nil
      }
      print("  a frozen node: its members left after \(ContinuousClock.now - stopped)")
      try cluster.signal("gateway-3", SIGCONT)
      try await leaving.stop()
      let back = ContinuousClock.now
      try await scene.settled("a node frozen beyond its lease", since: back) { all }
      for watcher in scene.watchers {
        for seat in all {
          #expect(watcher.leaves.count { $0 == seat } <= 1)
          // Whose node missed a join may hear of it twice: from a read of who is there, and from the feed.
          #expect(watcher.joins.count { $0 == seat } <= 3)
        }
      }
      try await scene.end(staying)
    }
  }
}
