import LoadTesting
import NIOHTTP1
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// Who is sent to another node while Redis fails was never away.
  @Suite struct PresenceMoveTests {
    private struct Move {
      let scene: PresenceScene
      let members: Fleet
      let seats: Set<Seat>
      /// How many were on the node that is drained.
      let moving: Int

      init(_ cluster: Cluster) async throws {
        scene = try await PresenceScene(cluster, watchedOn: [0, 2])
        members = try await scene.members(180, at: { _ in cluster.nginx })
        seats = try await members.seats()
        try await scene.heard(seats)
        moving = try await members.count { $0.node == "gateway-2" }
        try #require(moving > 20)
      }

      /// Waits until at most so many are still there.
      func wait(for rest: Int) async throws {
        try await eventually("all but \(rest) elsewhere", every: .milliseconds(20)) {
          try await members.count { $0.node == "gateway-2" } <= rest
        }
      }

      /// The node has told what it had to tell.
      func nobodyLeft(_ what: String, since start: ContinuousClock.Instant) async throws {
        try await scene.settled(what, on: [0, 2], since: start) { seats }
        try await scene.cluster.wait(for: "drained", of: 1)
        try await scene.heard(seats)
        for watcher in scene.watchers {
          #expect(watcher.leaves.isEmpty, "\(watcher.leaves.count) of \(moving) were heard to leave")
        }
        #expect(try await members.seats() == seats)
        try await scene.end(members)
        #expect(try await scene.cluster.undrain("gateway-2", at: 1).status == .ok)
      }
    }

    @Test func redisForgetsEverybodyInTheMiddleOfADrain() async throws {
      let cluster = try await ClusterTests.cluster()
      let move = try await Move(cluster)
      #expect(try await cluster.drain("gateway-2", over: 6, at: 0).status == .ok)
      try await move.wait(for: move.moving / 3)
      _ = try await cluster.redis("FLUSHALL")
      try await move.nobodyLeft("Redis emptied in a drain", since: .now)
    }

    @Test func redisIsFrozenDuringADrain() async throws {
      let cluster = try await ClusterTests.cluster()
      let move = try await Move(cluster)
      try cluster.signal("redis", SIGSTOP)
      do {
        #expect(try await cluster.drain("gateway-2", over: 3, at: 1).status == .ok)
        try await move.wait(for: 0)
      } catch {
        try cluster.signal("redis", SIGCONT)
        throw error
      }
      try cluster.signal("redis", SIGCONT)
      try await move.nobodyLeft("Redis frozen in a drain", since: .now)
    }
  }
}
