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
  /// The wall clocks of two nodes are wrong by hours, one fast and one slow, and are set while they run.
  @Suite struct WrongClockTests {
    private static let hours = 5 * 3_600
    private let channel = "room:clock"

    @Test func nobodyNotices() async throws {
      let cluster = try await ClusterTests.cluster()
      let (fast, slow) = (try FakeClock(), try FakeClock())
      try fast.set(by: WrongClockTests.hours)
      try slow.set(by: -WrongClockTests.hours)
      let wrong = try await [
        ChildNode(insteadOf: "gateway-2", in: cluster, environment: fast.environment),
        ChildNode(insteadOf: "gateway-3", in: cluster, environment: slow.environment),
      ]
      let watcher = try await Socket(to: cluster.node(0))
      try await watcher.subscribe(channel, presence: .watch)

      // A listener on each, who fills its memory of the channel.
      var listeners: [Socket] = []
      var start: Cursor?
      for index in 1...2 {
        let socket = try await Socket(to: cluster.node(index))
        _ = try await socket.welcome()
        start = try await socket.subscribe(channel, presence: .join)
        listeners.append(socket)
      }
      for number in 1...6 {
        let node = cluster.node(number % 3)
        #expect(try await HTTP.publish(channel, "\(number)", to: node).status == .created)
      }
      for (index, socket) in listeners.enumerated() {
        try await socket.message("6")
        try await returning(to: cluster.node(index + 1), after: try #require(start))
        try await isPresent(try await socket.welcome().session.member, in: cluster, seenBy: watcher)
      }
      // Times are the cluster's.
      let now = WallClock.milliseconds()
      for time in times(of: listeners[0]) { #expect(abs(time - now) < 60_000, "\(time - now)") }
      #expect(times(of: listeners[0]) == times(of: listeners[1]))

      // A key counts once, on whatever node.
      let once = try await HTTP.publish(channel, "7", key: "k", to: cluster.node(1))
      let again = try await HTTP.publish(channel, "7", key: "k", to: cluster.node(2))
      #expect(once.status == .created && again.status == .ok)
      #expect(once.object?["cursor"]?.string == again.object?["cursor"]?.string)

      // Set while they run, there and back: they live on, their members stay.
      for seconds in [-WrongClockTests.hours, WrongClockTests.hours] {
        try fast.set(by: seconds)
        try slow.set(by: -seconds)
        try await beats(in: cluster)
      }
      #expect(!watcher.events.contains { if case .leave = $0 { true } else { false } })

      // They drain in their time, and their sessions with them.
      try cluster.signal("gateway-2", SIGTERM)
      try cluster.signal("gateway-3", SIGTERM)
      for socket in listeners {
        _ = try await socket.event("goaway") { if case .goaway = $0 { true } else { nil } }
        socket.close()
      }
      for node in wrong { #expect(try await node.exitStatus() == 0) }
      watcher.abort()
    }

    /// Who comes back from before, and who begins at the beginning, gets everything and is told of no gap.
    private func returning(to node: Endpoint, after start: Cursor) async throws {
      for since in [Since.cursor(start), .start] {
        let socket = try await Socket(to: node)
        try await socket.subscribe(channel, since: since)
        try await socket.message("6")
        #expect(times(of: socket).count == 6)
        #expect(!socket.events.contains { if case .gap = $0 { true } else { false } })
        socket.abort()
      }
    }

    private func isPresent(_ member: String, in cluster: Cluster, seenBy watcher: Socket) async throws {
      _ = try await watcher.event("a join") {
        if case .join(_, let joined) = $0, joined.id == member { true } else { nil }
      }
      let present = try await HTTP.get(cluster.node(0), "/v1/channels/\(channel)/presence")
      let members = (present.object?["members"]?.elements ?? []).compactMap { $0.object }
      let own = members.first { $0["member"]?.string == member }
      let since = try #require(own?["since"]?.integer)
      #expect(abs(since - WallClock.milliseconds()) < 60_000, "\(since)")
    }

    /// Waits until every node has told of itself twice more, by the time of the clocks as they are now, and is ready.
    private func beats(in cluster: Cluster) async throws {
      let before = try await uptimes(in: cluster)
      #expect(before.count == 3)
      // A beat is every two seconds.
      try await eventually("two beats of every node", every: .milliseconds(100)) {
        try await uptimes(in: cluster).filter { $1 - before[$0, default: $1] >= 4 }.count == 3
      }
    }

    /// Of nodes that are ready, as the first one knows them.
    private func uptimes(in cluster: Cluster) async throws -> [String: Int64] {
      let nodes = try await HTTP.get(cluster.operating(0), "/v1/nodes").object?["nodes"]?.elements ?? []
      let ready = nodes.compactMap(\.object).filter { $0["state"]?.string == "ready" }
      return Dictionary(
        ready.compactMap { node in
          guard let name = node["node"]?.string, let uptime = node["uptime_s"]?.integer else { return nil }
          return (name, uptime)
        },
        uniquingKeysWith: max
      )
    }

    private func times(of socket: Socket) -> [Int64] {
      socket.events.compactMap { if case .message(_, _, _, _, let time) = $0 { time } else { nil } }
    }
  }
}
