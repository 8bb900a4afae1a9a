import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Long polls by the thousand.
  @Suite struct HeldPollTests {
    private static let count = FaultScale.asked.clients * 10 / 3

    private func poller(_ number: Int, _ channel: ChannelName, _ endpoint: Endpoint) -> SubscriberSettings {
      var settings = SubscriberSettings(name: "poller \(number)", endpoint: endpoint, channels: [channel])
      settings.transport = .longPoll
      settings.pollWait = 55
      return settings
    }

    @Test func fiveThousandAreAnsweredByOnePublish() async throws {
      let cluster = try await ClusterTests.cluster()
      let room = try #require(ChannelName("room:held-by-all"))
      let count = Self.count
      let before = try await Metrics.heldPolls(of: cluster.operating(0))
      let answered = try await Metrics.answeredPolls("long", of: cluster.operating(0))
      let fleet = try await Fleet(
        (0..<count).map { poller($0, room, cluster.node(0)) },
        over: .milliseconds(Int64(count))
      )
      try await eventually("\(count) held polls", within: .seconds(90), every: .milliseconds(50)) {
        try await Metrics.heldPolls(of: cluster.operating(0)) - before == count
      }
      #expect(try await Metrics.answeredPolls("long", of: cluster.operating(0)) == answered)
      let data = #"{"to":"all"}"#
      let began = ContinuousClock.now
      let publish = try await HTTP.publish(room.text, data, to: cluster.node(1))
      let cursor = try #require(publish.object?["cursor"]?.string.flatMap { Cursor($0) })
      try await eventually("the message with everyone", within: .seconds(60)) {
        try await fleet.count { $0.received == 1 } == count
      }
      print("  \(count) held polls were answered within \(ContinuousClock.now - began)")
      #expect(try await Metrics.answeredPolls("long", of: cluster.operating(0)) == answered + count)
      try await eventually("everyone's next poll", within: .seconds(60), every: .milliseconds(50)) {
        try await Metrics.heldPolls(of: cluster.operating(0)) - before == count
      }
      let ledger = Ledger()
      ledger.acknowledged(room, cursor, ByteBuffer(string: data))
      let verdict = ledger.verdict(on: try await fleet.journals())
      #expect(verdict.isClean && verdict.deliveries == count, "\(verdict)")
      try await fleet.stop()
      try await eventually("nobody", within: .seconds(20)) {
        try await Metrics.heldPolls(of: cluster.operating(0)) == before
      }
    }

    @Test func whoVanishesIsForgotten() async throws {
      let cluster = try await ClusterTests.cluster()
      let before = try await Metrics.heldPolls(of: cluster.operating(0))
      var connections: [RawConnection] = []
      for number in 0..<20 {
        let connection = try await RawConnection(to: cluster.node(0))
        connection.send("GET /v1/poll?channels=room:vanish-\(number % 3)&wait=55 HTTP/1.1\r\nHost: a\r\n\r\n")
        connections.append(connection)
      }
      try await eventually("20 held polls") {
        try await Metrics.heldPolls(of: cluster.operating(0)) == before + 20
      }
      for connection in connections { connection.close() }
      try await eventually("none of them", within: .seconds(5)) {
        try await Metrics.heldPolls(of: cluster.operating(0)) == before
      }
      #expect(connections.allSatisfy { $0.text == "" })
    }

    @Test func fiveThousandChannelsWithAPollEachMissNoWakeUp() async throws {
      let cluster = try await ClusterTests.cluster()
      let count = Self.count
      let tag = String(UInt32.random(in: .min ... .max), radix: 36)
      let channels = try (0..<count).map { try #require(ChannelName("wake:\(tag)-\($0)")) }
      let fleet = try await Fleet(
        channels.enumerated().map { poller($0.offset, $0.element, cluster.node(0)) },
        over: .milliseconds(Int64(count))
      )
      try await fleet.ready(within: .seconds(90))
      // Round after round, while the polls of the last one are still on their way back.
      let ledger = Ledger()
      for round in 0..<3 {
        for start in stride(from: 0, to: count, by: 250) {
          let some = Array(channels[start..<min(start + 250, count)])
          // Each payload is one of a kind in its channel.
          let data = "{\"round\":\(round)}"
          for (channel, cursor) in try await HTTP.publish([data], toAll: some, by: cluster.operating(1)) {
            ledger.acknowledged(channel, cursor, ByteBuffer(string: data))
          }
        }
      }
      #expect(ledger.count == 3 * count)
      try await eventually("three messages for each", within: .seconds(60), every: .milliseconds(50)) {
        try await fleet.count { $0.received == 3 } == count
      }
      let verdict = ledger.verdict(on: try await fleet.journals())
      #expect(verdict.isClean && verdict.deliveries == 3 * count, "\(verdict)")
      try await fleet.stop()
    }
  }
}
