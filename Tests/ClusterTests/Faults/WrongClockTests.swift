import NIOCore
import NIOHTTP1
import SluiceClient
import class TestRedis.FakeClock
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// One node's wall clock is wrong by hours, and is set while it runs.
  @Suite struct WrongClockTests {
    @Test(arguments: [5 * 3_600, -5 * 3_600])
    func nobodyNotices(seconds: Int) async throws {
      let cluster = try await ClusterTests.cluster()
      let clock = try FakeClock()
      try clock.set(by: seconds)
      let wrong = try await ChildNode(insteadOf: "gateway-2", in: cluster, environment: clock.environment)
      let channel = "room:clock\(abs(seconds) + (seconds < 0 ? 1 : 0))"
      let watcher = try await Socket(to: cluster.node(0))
      try await watcher.subscribe(channel, presence: .watch)

      // A listener there, who fills its memory of the channel.
      let first = try await Socket(to: cluster.node(1))
      let session = try await first.welcome().session
      let start = try #require(try await first.subscribe(channel, presence: .join))
      for number in 1...5 {
        let node = cluster.node(number % 3)
        #expect(try await HTTP.publish(channel, "\(number)", to: node).status == .created)
      }
      try await first.message("5")

      // Another one, who comes back to it from before, and one from the beginning.
      for since in [Since.cursor(start), .start] {
        let second = try await Socket(to: cluster.node(1))
        try await second.subscribe(channel, since: since)
        try await second.message("5")
        #expect(times(of: second).count == 5)
        #expect(!second.events.contains { if case .gap = $0 { true } else { false } })
        second.abort()
      }

      // Times are the cluster's.
      let now = WallClock.milliseconds()
      for time in times(of: first) { #expect(abs(time - now) < 60_000, "\(time - now)") }
      _ = try await watcher.event("a join") {
        if case .join(_, let member) = $0, member.id == session.member { true } else { nil }
      }
      let present = try await HTTP.get(cluster.node(0), "/v1/channels/\(channel)/presence")
      let members = (present.object?["members"]?.elements ?? []).compactMap { $0.object }
      let own = members.first { $0["member"]?.string == session.member }
      let since = try #require(own?["since"]?.integer)
      #expect(abs(since - now) < 60_000, "\(since - now)")

      // A key counts once, on whatever node.
      let once = try await HTTP.publish(channel, "6", key: "k", to: cluster.node(1))
      let again = try await HTTP.publish(channel, "6", key: "k", to: cluster.node(2))
      #expect(once.status == .created && again.status == .ok)
      #expect(once.object?["cursor"]?.string == again.object?["cursor"]?.string)

      // Set while it runs, there and back: it lives on, its members stay.
      try clock.set(by: -seconds)
      try await Task.sleep(for: .seconds(4))
      try clock.set(by: seconds)
      try await Task.sleep(for: .seconds(4))
      #expect(!watcher.events.contains { if case .leave = $0 { true } else { false } })
      let nodes = try await HTTP.get(cluster.operating(0), "/v1/nodes")
      let states = nodes.object?["nodes"]?.elements?.compactMap { $0.object?["state"]?.string }
      #expect(states?.count { $0 == "ready" } == 3, "\(nodes.text)")

      // It drains in its time, and its session with it.
      try cluster.signal("gateway-2", SIGTERM)
      _ = try await first.event("goaway") { if case .goaway = $0 { true } else { nil } }
      first.close()
      #expect(try await wrong.exitStatus() == 0)
      watcher.abort()
    }

    private func times(of socket: Socket) -> [Int64] {
      socket.events.compactMap { if case .message(_, _, _, _, let time) = $0 { time } else { nil } }
    }
  }
}
