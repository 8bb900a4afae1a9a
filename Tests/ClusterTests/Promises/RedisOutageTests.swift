import Foundation
import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct RedisOutageTests {
    @Test func nodesOutliveRedis() async throws {
      let cluster = try await ClusterTests.cluster()
      let nodes = Cluster.nodeNames.map { cluster.pid(of: $0) }
      let room = try #require(ChannelName("room:outage"))
      let fleet = try await Fleet(
        (0..<6).map { number in
          var settings = SubscriberSettings(
            name: "\(number)",
            endpoint: cluster.node(number % 3),
            channels: [room]
          )
          settings.transport = number < 3 ? .webSocket : .eventStream
          return settings
        }
      )
      try await fleet.ready()
      let ledger = Ledger()
      try await publish(1, to: cluster.node(0), room, ledger)
      try await fleet.caughtUp(with: ledger.tails)

      try cluster.signal("redis", SIGTERM)
      for index in 0..<3 {
        try await eventually("an unready \(Cluster.nodeNames[index])") {
          try await HTTP.get(cluster.node(index), "/readyz").status == .serviceUnavailable
        }
        #expect(try await HTTP.get(cluster.node(index), "/healthz").status == .ok)
        let refused = try await HTTP.publish("room:outage", "2", to: cluster.node(index))
        #expect(refused.status == .serviceUnavailable)
        #expect(refused.problem == "unavailable")
        #expect(refused.retryAfter != nil)
      }
      #expect(try await fleet.count { $0.isReady } == 6)

      try await cluster.up()
      for index in 0..<3 {
        #expect(try await HTTP.get(cluster.node(index), "/readyz").status == .ok)
        try await publish(3 + index, to: cluster.node(index), room, ledger)
      }
      try await fleet.caughtUp(with: ledger.tails)
      let journals = try await fleet.journals()
      let verdict = ledger.verdict(on: journals)
      #expect(verdict.isClean, "\(verdict)")
      #expect(journals.allSatisfy { $0.connections.count == 1 }, "a connection was cut")
      #expect(Cluster.nodeNames.map { cluster.pid(of: $0) } == nodes, "a node was started again")
      try await fleet.stop()
    }

    private func publish(_ number: Int, to node: Endpoint, _ room: ChannelName, _ ledger: Ledger) async throws
    {
      let data = ByteBuffer(string: "{\"number\":\(number)}")
      let response = try await HTTP.publish(room.text, String(buffer: data), to: node)
      #expect(response.status == .created, "\(response.text)")
      let cursor = try #require(response.object?["cursor"]?.string.flatMap { Cursor($0) })
      ledger.acknowledged(room, cursor, data)
    }
  }
}
