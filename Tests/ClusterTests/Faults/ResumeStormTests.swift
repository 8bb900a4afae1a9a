import LoadTesting
import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct ResumeStormTests {
    @Test func fiveThousandResumesOfOneChannelAreAFewReads() async throws {
      let cluster = try await ClusterTests.cluster()
      let room = try #require(ChannelName("room:storm"))
      let count = FaultScale.asked.clients * 10 / 3
      let ledger = Ledger()
      var start: Cursor?
      for number in 0..<50 {
        let data = ByteBuffer(string: "{\"number\":\(number)}")
        let response = try await HTTP.publish(room.text, String(buffer: data), to: cluster.node(1))
        let cursor = try #require(response.object?["cursor"]?.string.flatMap { Cursor($0) })
        if start == nil { start = cursor } else { ledger.acknowledged(room, cursor, data) }
      }
      let since = try #require(start)
      let node = cluster.node(0)
      let fleet = try await Fleet(
        (0..<count).map { number in
          var settings = SubscriberSettings(name: "subscriber \(number)", endpoint: node, channels: [room])
          settings.since = .cursor(since)
          settings.isHeldBack = true
          return settings
        },
        over: .milliseconds(Int64(count) * 2)
      )
      try await eventually("\(count) connections", within: .seconds(90), every: .milliseconds(50)) {
        try await fleet.count { $0.node != nil } == count
      }
      let reads = try await historyReads(cluster)
      let began = ContinuousClock.now
      try await fleet.release()
      try await fleet.ready(within: .seconds(60))
      print("  \(count) resumes took \(ContinuousClock.now - began)")
      try await fleet.caughtUp(with: ledger.tails)
      let cost = try await historyReads(cluster) - reads
      #expect(cost <= 5, "\(cost) history reads")
      let verdict = ledger.verdict(on: try await fleet.journals())
      #expect(verdict.isClean, "\(verdict)")
      try await fleet.stop()
    }

    private func historyReads(_ cluster: Cluster) async throws -> Int {
      try await cluster.redisCalls(of: "xrange") + (try await cluster.redisCalls(of: "xrevrange"))
    }
  }
}
