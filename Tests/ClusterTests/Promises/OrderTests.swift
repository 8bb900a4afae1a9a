import LoadTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct OrderTests {
    /// Publishes its share of a thousand messages through one node, by one way.
    private enum Lane: Sendable {
      case webSocket(node: Int)
      case http(node: Int)
    }

    @Test func aThousandMessagesReachSixHundredSubscribersInOneOrder() async throws {
      let cluster = try await ClusterTests.cluster()
      let room = try #require(ChannelName("room:order"))
      let fleet = try await Fleet(
        (0..<600).map { number in
          var settings = SubscriberSettings(
            name: "subscriber \(number)",
            endpoint: cluster.nginx,
            channels: [room]
          )
          settings.transport = number.isMultiple(of: 2) ? .webSocket : .eventStream
          return settings
        },
        over: .seconds(2)
      )
      try await fleet.ready()
      let nodes = Set(try await fleet.all { $0.node })
      #expect(nodes == Set(Cluster.nodeNames))

      let ledger = Ledger()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<6 {
          let lane: Lane = number < 3 ? .webSocket(node: number) : .http(node: number - 3)
          let share = stride(from: number, to: 1_000, by: 6)
          group.addTask { try await publish(Array(share), to: room, by: lane, cluster, ledger) }
        }
        try await group.waitForAll()
      }
      #expect(ledger.count == 1_000)
      #expect(Set(ledger.all.map(\.cursor)).count == 1_000)
      try await fleet.caughtUp(with: ledger.tails, within: .seconds(120))
      let journals = try await fleet.journals()
      let verdict = ledger.verdict(on: journals)
      #expect(verdict.isClean, "\(verdict)")
      #expect(verdict.deliveries == 600 * 1_000)
      #expect(verdict.gaps == [:])
      #expect(journals.allSatisfy { $0.connections.count == 1 })
      try await fleet.stop()
    }

    private func publish(
      _ numbers: [Int],
      to room: ChannelName,
      by lane: Lane,
      _ cluster: Cluster,
      _ ledger: Ledger
    ) async throws {
      switch lane {
      case .webSocket(let node):
        let socket = try await Socket(to: cluster.node(node))
        for number in numbers {
          let data = ByteBuffer(string: #"{"number":\#(number)}"#)
          socket.send(Int64(number), .publish(channel: room, data: data, key: nil))
          let cursor = try await socket.event("the answer to \(number)") { event -> Cursor? in
            if case .published(Int64(number), room, let cursor) = event { cursor } else { nil }
          }
          ledger.acknowledged(room, cursor, data)
        }
        socket.abort()
      case .http(let node):
        let loop = NIOSingletons.posixEventLoopGroup.any()
        let endpoint = cluster.node(node)
        let publisher = try await Confined(on: loop) { Publisher(to: [endpoint], connections: 1, on: $0) }
        for number in numbers {
          let data = ByteBuffer(string: #"{"number":\#(number)}"#)
          let answer = loop.makePromise(of: Publisher.Receipt.self)
          publisher.use(soon: { publisher in
            publisher.publish(room, data: data, deadline: .now() + .seconds(20)) {
              answer.completeWith($0.mapError { $0 as any Error })
            }
          })
          let receipt = try await answer.futureResult.get()
          ledger.acknowledged(room, try #require(receipt.cursor), data)
        }
        try await publisher.use { $0.close() }
      }
    }
  }
}
