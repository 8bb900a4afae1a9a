import LoadTesting
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  @Suite struct ManyChannelsTests {
    /// A subscriber to a channel of its own, as small as can be.
    private final class Listener {
      let channel: ChannelName
      var connection: WebSocketConnection?
      var isWelcome = false
      var isSubscribed = false
      var heard: [String] = []
      var strange: [String] = []

      init(_ channel: ChannelName, _ endpoint: Endpoint, on loop: any EventLoop) {
        self.channel = channel
        connection = WebSocketConnection(to: endpoint, on: loop) { event in
          switch event {
          case .text(let text): self.take(text)
          case .closed(let closure): self.strange.append("\(closure)")
          default: break
          }
        }
      }

      func subscribe() {
        connection?.send(ClientRequest(id: 1, .subscribe(channel: channel, since: nil, presence: nil)))
      }

      private func take(_ text: ByteBuffer) {
        switch try? ServerEvent(parsing: text) {
        case .welcome: isWelcome = true
        case .subscribed(1, channel, _, _): isSubscribed = true
        case .message(channel, _, let data, _, _): heard.append(String(buffer: data))
        default: strange.append(String(buffer: text))
        }
      }
    }

    private final class Listeners {
      var all: [Listener] = []
    }

    @Test func threeThousandChannelsOfOneNodeCostBatchedSubscribes() async throws {
      let cluster = try await ClusterTests.cluster()
      let count = 3_000
      let endpoint = cluster.node(0)
      var squads: [Confined<Listeners>] = []
      for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
        squads.append(try await Confined(on: loop) { _ in Listeners() })
      }
      // A hundred at a time, so that no backlog overflows.
      for first in stride(from: 0, to: count, by: 100) {
        for (index, squad) in squads.enumerated() {
          let loop = squad.loop
          let share = (first..<first + 100).filter { $0 % squads.count == index }
          try await squad.use { squad in
            for number in share {
              squad.all.append(Listener(ChannelName("own:\(number)")!, endpoint, on: loop))
            }
          }
        }
        try await eventually("\(first + 100) connections", within: .seconds(60)) {
          try await total(squads) { $0.isWelcome } == first + 100
        }
      }

      let subscribesBefore = try await cluster.redisCalls(of: "subscribe")
      let sharded = try await cluster.redisCalls(of: "ssubscribe")
      // Asked while the node sleeps: what it finds in one turn when it wakes is its own doing, and not their pace.
      try cluster.signal("gateway-1", SIGSTOP)
      do {
        for squad in squads { try await squad.use { $0.all.forEach { $0.subscribe() } } }
      } catch {
        try cluster.signal("gateway-1", SIGCONT)
        throw error
      }
      try cluster.signal("gateway-1", SIGCONT)
      try await eventually("\(count) subscriptions", within: .seconds(60)) {
        try await total(squads) { $0.isSubscribed } == count
      }
      let subscribes =
        try await cluster.redisCalls(of: "subscribe") - subscribesBefore
        + (try await cluster.redisCalls(of: "ssubscribe")) - sharded
      #expect((1...count / 10).contains(subscribes), "\(subscribes) SUBSCRIBEs for \(count) channels")
      print("  \(subscribes) SUBSCRIBEs for \(count) channels")

      let ledger = Ledger()
      let publisher = try await Confined(on: squads[0].loop) {
        Publisher(to: [endpoint], connections: 8, on: $0)
      }
      try await publisher.use { publisher in
        for number in 0..<count {
          let channel = ChannelName("own:\(number)")!
          let data = ByteBuffer(string: "\"for \(number)\"")
          publisher.publish(channel, data: data, deadline: .now() + .seconds(60)) { result in
            switch result {
            case .success(let receipt): ledger.acknowledged(channel, receipt.cursor!, data)
            case .failure(let failure): ledger.failed(failure.reason)
            }
          }
        }
      }
      try await eventually("\(count) answers", within: .seconds(60), every: .milliseconds(50)) {
        ledger.count + ledger.failures.count == count
      }
      #expect(ledger.failures == [])
      try await eventually("\(count) messages", within: .seconds(60), every: .milliseconds(50)) {
        try await total(squads) { !$0.heard.isEmpty } == count
      }
      let wrong = try await total(squads) { listener in
        listener.heard != ["\"for \(listener.channel.text.dropFirst(4))\""] || !listener.strange.isEmpty
      }
      #expect(wrong == 0)
      for squad in squads { try await squad.use { $0.all.forEach { $0.connection?.abort() } } }
      try await publisher.use { $0.close() }
    }

    private func total(
      _ squads: [Confined<Listeners>],
      where condition: @escaping @Sendable (Listener) -> Bool
    ) async throws -> Int {
      var total = 0
      for squad in squads { total += try await squad.use { $0.all.count(where: condition) } }
      return total
    }
  }
}
