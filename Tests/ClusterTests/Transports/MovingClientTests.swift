import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Subscribers that change the way they come, while messages are published.
  @Suite struct MovingClientTests {
    private static let transports: [SubscriberTransport] = [.webSocket, .eventStream, .longPoll, .shortPoll]

    /// 200 moves of one client, and as many of some others, who do not wait until a move is done.
    @Test func oneThatMovesTwoHundredTimesMissesNothing() async throws {
      let cluster = try await ClusterTests.cluster()
      let tag = String(UInt32.random(in: .min ... .max), radix: 36)
      let channels = try (0..<3).map { try #require(ChannelName("move:\(tag)-\($0)")) }
      let fleet = try await Fleet(
        (0..<4).map { number in
          var settings = SubscriberSettings(
            name: "mover \(number)",
            endpoint: cluster.node(number % 3),
            channels: channels
          )
          settings.transport = Self.transports[number]
          settings.pollInterval = .milliseconds(50)
          return settings
        }
      )
      try await fleet.ready()
      let workload = try await Workload(to: [cluster.nginx], channels, rate: 200)
      for _ in 0..<200 {
        let moves = (0..<4).map { _ in
          (
            Self.transports.randomElement()!,
            [cluster.nginx, cluster.node(0), cluster.node(1), cluster.node(2)].randomElement()!
          )
        }
        _ = try await fleet.all { subscriber in
          let number = Int(String(subscriber.settings.name.last!))!
          subscriber.move(to: moves[number].0, endpoint: moves[number].1)
        }
        // The first one arrives each time; the others are on their way when they are sent elsewhere.
        try await eventually("the first one by \(moves[0].0)") {
          try await fleet.count {
            $0.settings.name == "mover 0" && $0.isReady && $0.transport == moves[0].0 && $0.hasMoved
          } == 1
        }
      }
      try await workload.finish()
      try await fleet.ready()
      try await fleet.caughtUp(with: workload.ledger.tails)
      let journals = try await fleet.journals()
      try await fleet.stop()
      let verdict = workload.ledger.verdict(on: journals)
      print("200 moves: \(verdict)")
      #expect(verdict.isClean, "\(verdict)")
      #expect(verdict.gaps == [:])
      #expect(workload.ledger.failures == [])
      let first = try #require(journals.first { $0.subscriber == "mover 0" })
      let arrived = first.connections.filter { $0.readyAt != nil }
      #expect(arrived.count >= 200)
      #expect(Set(arrived.map(\.transport)) == Set(Self.transports))
    }
  }
}
