import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Short polls behind a cache.
  @Suite struct CachedPollTests {
    private func answered(_ cluster: Cluster) async throws -> Int {
      var sum = 0
      for node in 0..<3 { sum += try await Metrics.answeredPolls("short", of: cluster.operating(node)) }
      return sum
    }

    @Test func aThousandClientsCostAFewRequestsASecond() async throws {
      let cluster = try await ClusterTests.cluster()
      let count = FaultScale.asked.clients * 2 / 3
      let room = try #require(ChannelName("room:cached-\(UInt32.random(in: .min ... .max))"))
      // It begins, so that its first position is not from before its first subscriber.
      _ = try await HTTP.poll(cluster.node(0), room.text, "wait=0")
      try await CachingProxy.run(cluster) { proxy in
        let fleet = try await Fleet(
          (0..<count).map { number in
            var settings = SubscriberSettings(
              name: "poller \(number)",
              endpoint: proxy.endpoint,
              channels: [room]
            )
            settings.transport = .shortPoll
            settings.pollInterval = .seconds(1)
            return settings
          },
          over: .seconds(1)
        )
        try await fleet.ready()
        let ledger = Ledger()
        let before = try await answered(cluster)
        let began = ContinuousClock.now
        var waits: [Duration] = []
        for number in 1...6 {
          let data = #"{"number":\#(number)}"#
          let publish = try await HTTP.publish(room.text, data, to: cluster.node(number % 3))
          let cursor = try #require(publish.object?["cursor"]?.string.flatMap { Cursor($0) })
          ledger.acknowledged(room, cursor, ByteBuffer(string: data))
          let published = ContinuousClock.now
          try await eventually("message \(number) with everyone", every: .milliseconds(20)) {
            try await fleet.count { $0.received >= number } == count
          }
          waits.append(ContinuousClock.now - published)
          try await Task.sleep(for: .milliseconds(.random(in: 200...1_200)))
        }
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let requests = Double(try await answered(cluster) - before) / seconds
        try await fleet.caughtUp(with: ledger.tails)
        let verdict = ledger.verdict(on: try await fleet.journals())
        try await fleet.stop()
        let longest = waits.max()!
        print(
          "  \(count) clients: \(requests) requests a second at the nodes; the last has a message after \(longest)"
        )
        #expect(verdict.isClean, "\(verdict)")
        #expect(requests < 6, "\(requests) requests a second")
        // The age of the cache, a poll's period, and the renewal of what is stale; the rest is for the machine.
        #expect(longest < .seconds(5))
      }
    }
  }
}
