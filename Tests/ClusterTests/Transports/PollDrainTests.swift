import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// Polls on a node that leaves.
  @Suite struct PollDrainTests {
    @Test func heldPollsAreAnsweredEarlyAndNewOnesGoElsewhere() async throws {
      let cluster = try await ClusterTests.cluster()
      let route = try await routeToGateway2(cluster)
      let start = try #require(
        try await HTTP.poll(cluster.node(1), "poll:drain", "wait=0").poll
      ).cursor
      let before = try await Metrics.heldPolls(of: cluster.operating(1))
      async let direct = HTTP.poll(cluster.node(1), "poll:drain", "since=\(start)&wait=55")
      async let proxied = HTTP.poll(cluster.nginx, "poll:drain", "since=\(start)&wait=55&route=\(route)")
      try await eventually("two held polls") {
        try await Metrics.heldPolls(of: cluster.operating(1)) == before + 2
      }
      // Keeps the drain going until all is seen.
      let held = try await Socket(to: cluster.node(1))
      try await held.subscribe("poll:other")
      let began = ContinuousClock.now
      try cluster.signal("gateway-2", SIGTERM)
      try await eventually("a draining gateway-2") {
        try await HTTP.get(cluster.node(1), "/readyz").status == .serviceUnavailable
      }
      let refused = try await HTTP.poll(cluster.node(1), "poll:drain", "since=\(start)&wait=55")
      #expect(refused.status == .serviceUnavailable && refused.problem == "draining")
      #expect(refused.retryAfter != nil)
      let short = try await HTTP.poll(cluster.node(1), "poll:drain", "since=\(start)&wait=0")
      #expect(short.status == .ok && short.poll?.cursor == start)
      // Who keeps a place in presence is to keep it on a node that stays.
      let member = try await HTTP.poll(cluster.node(1), "poll:drain", "since=\(start)&wait=0&presence=join")
      #expect(member.status == .serviceUnavailable && member.problem == "draining")

      for answer in [try await direct, try await proxied] {
        #expect(answer.status == .ok)
        #expect(answer.poll?.cursor == start && answer.poll?.events.isEmpty == true)
      }
      #expect(ContinuousClock.now - began < .seconds(30), "they were held to their end")

      // Through nginx the next one is held by another node, and hears what comes.
      let elsewhere = try await Metrics.heldPolls(of: cluster.operating(0))
      let further = try await Metrics.heldPolls(of: cluster.operating(2))
      async let next = HTTP.poll(cluster.nginx, "poll:drain", "since=\(start)&wait=55&route=\(route)")
      try await eventually("a poll on another node") {
        try await Metrics.heldPolls(of: cluster.operating(0))
          + (try await Metrics.heldPolls(of: cluster.operating(2)))
          == elsewhere + further + 1
      }
      _ = try await HTTP.publish("poll:drain", "1", to: cluster.node(0))
      #expect(try await next.poll?.events.count == 1)
      held.abort()
      try await eventually("the end of gateway-2") { cluster.pid(of: "gateway-2") == nil }
      try await cluster.up()
    }

    private func routeToGateway2(_ cluster: Cluster) async throws -> String {
      for number in 0..<100 {
        let socket = try await Socket(to: cluster.nginx, path: "/v1/socket?route=poll-\(number)")
        let node = try await socket.welcome().node
        socket.abort()
        if node == "gateway-2" { return "poll-\(number)" }
      }
      throw Shell.Failed(description: "no route leads to gateway-2")
    }
  }
}
