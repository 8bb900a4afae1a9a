import Foundation
import LoadTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// What the same messages cost a node by each of the five patterns.
  @Suite struct PatternCostTests {
    private static let clients = 1_000
    private static let warmUp = 2
    /// That are measured; `SLUICE_TEST_MESSAGES`. A fast build needs some hundred, for the system counts in
    /// hundredths of a second.
    private static let messages =
      ProcessInfo.processInfo.environment["SLUICE_TEST_MESSAGES"].flatMap { Int($0) } ?? 8

    private struct Row {
      let pattern: String
      let time: Duration
      let messages: Int

      /// Milliseconds per 1,000 messages that a client received.
      var cost: Double { time / .milliseconds(1) / Double(messages * PatternCostTests.clients) * 1_000 }
    }

    @Test func theCostOfEachPattern() async throws {
      var rows: [Row] = []
      // All are of one address, and read more in a moment than one may.
      try await LoneNode.run(["--reads-per-address", "0"]) { node in
        for (pattern, transport, pause) in [
          ("WebSocket", SubscriberTransport.webSocket, 0), ("server-sent events", .eventStream, 0),
          ("long poll", .longPoll, 0), ("short poll, each second, no cache", .shortPoll, 1_000),
        ] {
          let messages = pause > 0 ? min(Self.messages, 10) : Self.messages
          let time = try await cost(node, transport, messages, pause: pause)
          rows.append(Row(pattern: pattern, time: time, messages: messages))
        }
        let time = try await costOfHistory(node)
        rows.append(Row(pattern: "request-response: history", time: time, messages: Self.messages))
      }
      print("\n| pattern | CPU of the node per 1,000 messages delivered |\n|---|---|")
      for row in rows { print("| \(row.pattern) | \((row.cost * 10).rounded() / 10) ms |") }
      print("")
      #expect(rows.count == 5 && rows.allSatisfy { $0.time > .zero })
    }

    /// - Parameter pause: milliseconds between two messages; without one the next follows when everyone has the
    ///   last, and waits for it again.
    private func cost(_ node: LoneNode, _ transport: SubscriberTransport, _ messages: Int, pause: Int)
      async throws -> Duration
    {
      let room = try #require(ChannelName("cost:\(transport.rawValue)"))
      let fleet = try await Fleet(
        (0..<Self.clients).map { number in
          var settings = SubscriberSettings(name: "\(number)", endpoint: node.endpoint, channels: [room])
          settings.transport = transport
          settings.pollInterval = .seconds(1)
          return settings
        },
        over: .seconds(1)
      )
      try await fleet.ready()
      var before = Duration.zero
      for number in 1...(Self.warmUp + messages) {
        if transport == .longPoll {
          try await eventually("held polls") {
            try await Metrics.heldPolls(of: node.backends) == Self.clients
          }
        }
        if number == Self.warmUp + 1 { before = try node.processorTime() }
        let published = ContinuousClock.now
        _ = try await HTTP.publish(room.text, Self.data(number), to: node.endpoint)
        try await eventually("message \(number) with everyone", every: .milliseconds(10)) {
          try await fleet.count { $0.received == number } == Self.clients
        }
        try await Task.sleep(until: published + .milliseconds(pause))
      }
      let time = try node.processorTime() - before
      try await fleet.stop()
      return time
    }

    private static func data(_ number: Int) -> String {
      #"{"number":\#(number),"text":"\#(String(repeating: "x", count: 100))"}"#
    }

    /// Each client asks for what is new once for each message.
    private func costOfHistory(_ node: LoneNode) async throws -> Duration {
      let room = try #require(ChannelName("cost:history"))
      let start = try await HTTP.poll(node.endpoint, room.text, "wait=0")
      var cursor = try #require(start.poll?.cursor[room])
      let readers = try await Readers(Self.clients, of: room, on: node.endpoint)
      var before = Duration.zero
      for number in 1...(Self.warmUp + Self.messages) {
        if number == Self.warmUp + 1 { before = try node.processorTime() }
        _ = try await HTTP.publish(room.text, Self.data(number), to: node.endpoint)
        let next = Cursor(cursor.epoch, cursor.offset + 1)
        try await readers.read(after: cursor, expecting: next)
        cursor = next
      }
      let time = try node.processorTime() - before
      try await readers.close()
      return time
    }

    /// Clients with a connection each, who read a page of history when they are told to.
    private struct Readers {
      private final class Squad {
        let connections: [HTTPConnection]
        init(_ connections: [HTTPConnection]) { self.connections = connections }
      }

      private let squad: Confined<Squad>
      private let room: ChannelName

      init(_ count: Int, of room: ChannelName, on endpoint: Endpoint) async throws {
        self.room = room
        squad = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
          Squad((0..<count).map { _ in HTTPConnection(to: endpoint, on: loop) })
        }
      }

      /// Everyone reads what lies after `cursor`, which must be one message, `next`.
      func read(after cursor: Cursor, expecting next: Cursor) async throws {
        let room = room
        let right = Inbox<Bool>()
        let count = try await squad.use { squad in
          for connection in squad.connections {
            let request = HTTPRequest(.GET, "/v1/channels/\(room)/messages?since=\(cursor)")
            connection.send(request, timeout: .seconds(30)) { result in
              guard case .success(let response) = result,
                case .history(_, _, let messages, _, nil)? = try? ServerEvent(parsing: response.body)
              else { return right.append(false) }
              right.append(messages.map(\.cursor) == [next])
            }
          }
          return squad.connections.count
        }
        try await eventually("\(count) pages", within: .seconds(30)) { right.all.count == count }
        #expect(right.all.allSatisfy { $0 })
      }

      func close() async throws {
        try await squad.use { squad in
          for connection in squad.connections { connection.close() }
        }
      }
    }
  }
}
