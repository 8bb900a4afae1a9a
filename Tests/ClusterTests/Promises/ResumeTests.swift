import LoadTesting
import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// A cursor is good on every node and transport, and says so when it is not.
  @Suite struct ResumeTests {
    private struct Answer: Sendable {
      let cursor: Cursor
      let resumed: Bool
    }

    private func subscribe(_ socket: Socket, _ channel: ChannelName, _ since: Since?) async throws -> Answer {
      socket.send(1, .subscribe(channel: channel, since: since, presence: nil))
      return try await socket.event("subscribed \(channel)") { event -> Answer? in
        guard case .subscribed(1, channel, let cursor?, let resumed) = event else { return nil }
        return Answer(cursor: cursor, resumed: resumed)
      }
    }

    private func messages(_ socket: Socket) -> [Cursor] {
      socket.events.compactMap { if case .message(_, let cursor, _, _, _) = $0 { cursor } else { nil } }
    }

    private func gap(_ socket: Socket) async throws -> Gap {
      try await socket.event("a gap") { if case .gap(_, let gap) = $0 { gap } else { nil } }
    }

    /// Five messages in a channel nobody has used, and their cursors.
    private func filled(_ cluster: Cluster) async throws -> (channel: ChannelName, cursors: [Cursor]) {
      let name = "resume:\(UInt32.random(in: .min ... .max))"
      var cursors: [Cursor] = []
      for number in 0..<5 {
        let response = try await HTTP.publish(name, "\(number)", to: cluster.node(number % 3))
        cursors.append(try #require(response.object?["cursor"]?.string.flatMap { Cursor($0) }))
      }
      return (try #require(ChannelName(name)), cursors)
    }

    @Test(arguments: [0, 1, 2])
    func goesOnAfterItsCursorOnAnyNode(_ node: Int) async throws {
      let cluster = try await ClusterTests.cluster()
      let (channel, cursors) = try await filled(cluster)
      let socket = try await Socket(to: cluster.node(node))
      let answer = try await subscribe(socket, channel, .cursor(cursors[1]))
      #expect(answer.resumed)
      #expect(answer.cursor == cursors[1])
      try await socket.message("4")
      #expect(messages(socket) == Array(cursors[2...]))
      #expect(try await HTTP.publish(channel.text, "\"live\"", to: cluster.node(0)).status == .created)
      try await socket.message("\"live\"")
      #expect(messages(socket).map(\.offset) == [3, 4, 5, 6])
      socket.abort()
    }

    @Test func startReplaysWhatIsHeld() async throws {
      let cluster = try await ClusterTests.cluster()
      let (channel, cursors) = try await filled(cluster)
      let socket = try await Socket(to: cluster.node(0))
      let answer = try await subscribe(socket, channel, .start)
      #expect(answer.resumed)
      #expect(answer.cursor == Cursor(cursors[0].epoch, 0))
      try await socket.message("4")
      #expect(messages(socket) == cursors)
      socket.abort()
    }

    @Test func fromNowIsFromNow() async throws {
      let cluster = try await ClusterTests.cluster()
      let (channel, cursors) = try await filled(cluster)
      let socket = try await Socket(to: cluster.node(1))
      let answer = try await subscribe(socket, channel, nil)
      #expect(!answer.resumed)
      #expect(answer.cursor == cursors.last)
      #expect(try await HTTP.publish(channel.text, "\"live\"", to: cluster.node(2)).status == .created)
      try await socket.message("\"live\"")
      #expect(messages(socket).map(\.offset) == [6])
      socket.abort()
    }

    @Test func anUnknownEpochIsAResetFromTheOldestHeld() async throws {
      let cluster = try await ClusterTests.cluster()
      let (channel, cursors) = try await filled(cluster)
      let socket = try await Socket(to: cluster.node(1))
      let stale = try #require(Cursor("00000000.3"))
      #expect(!(try await subscribe(socket, channel, .cursor(stale)).resumed))
      #expect(try await gap(socket) == Gap(from: stale, to: Cursor(cursors[0].epoch, 0), reason: .reset))
      try await socket.message("4")
      #expect(messages(socket) == cursors)
      socket.abort()
    }

    @Test func anOffsetBeyondTheLogIsAResetToItsEnd() async throws {
      let cluster = try await ClusterTests.cluster()
      let (channel, cursors) = try await filled(cluster)
      let socket = try await Socket(to: cluster.node(1))
      let beyond = Cursor(cursors[0].epoch, 99)
      #expect(!(try await subscribe(socket, channel, .cursor(beyond)).resumed))
      #expect(try await gap(socket) == Gap(from: beyond, to: try #require(cursors.last), reason: .reset))
      #expect(try await HTTP.publish(channel.text, "\"live\"", to: cluster.node(2)).status == .created)
      try await socket.message("\"live\"")
      #expect(messages(socket).map(\.offset) == [6])
      socket.abort()
    }

    @Test func whatWasTrimmedIsAGap() async throws {
      let cluster = try await ClusterTests.cluster()
      let channel = try #require(ChannelName("resume:trimmed"))
      // A namespace holds a thousand messages.
      let ledger = Ledger()
      let loop = NIOSingletons.posixEventLoopGroup.any()
      let endpoint = cluster.node(0)
      let publisher = try await Confined(on: loop) { Publisher(to: [endpoint], connections: 8, on: $0) }
      try await publisher.use { publisher in
        for number in 0..<1_100 {
          let data = ByteBuffer(string: "\(number)")
          publisher.publish(channel, data: data, deadline: .now() + .seconds(30)) {
            if case .success(let receipt) = $0 { ledger.acknowledged(channel, receipt.cursor!, data) }
          }
        }
      }
      try await eventually("1100 answers") { ledger.count == 1_100 }
      try await publisher.use { $0.close() }
      let epoch = try #require(ledger.all.first?.cursor.epoch)
      let socket = try await Socket(to: cluster.node(2))
      #expect(!(try await subscribe(socket, channel, .cursor(Cursor(epoch, 10))).resumed))
      let gap = try await gap(socket)
      #expect(gap.from == Cursor(epoch, 10))
      #expect(gap.reason == .trimmed)
      // Redis may hold a few more than it was told to.
      #expect(gap.to.epoch == epoch)
      #expect((11...100).contains(gap.to.offset), "\(gap)")
      try await eventually("the rest") { messages(socket).last?.offset == 1_100 }
      #expect(messages(socket).map(\.offset) == Array((gap.to.offset + 1)...1_100))
      socket.abort()
    }

    @Test func anEventStreamMayStartAnywhere() async throws {
      let cluster = try await ClusterTests.cluster()
      let (channel, cursors) = try await filled(cluster)
      let start = try await Stream(to: cluster.node(1), "channels=\(channel)&since=start")
      #expect(try await start.event("welcome").id == "\(channel)@\(cursors[0].epoch).0")
      let since = try await Stream(
        to: cluster.node(2),
        "channels=\(channel),other&since=\(channel)@\(cursors[3])"
      )
      #expect(try await since.event("message").id.hasPrefix("other@") == true)
      let last = try await Stream(
        to: cluster.node(2),
        "channels=\(channel)&since=start",
        lastEventID: "\(channel)@\(cursors[3])"
      )
      #expect(try await last.event("message").id == "\(channel)@\(cursors[4])")
      for stream in [start, since, last] { stream.abort() }
    }
  }
}
