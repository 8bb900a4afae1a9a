import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Members that come by polls.
  @Suite struct PollPresenceTests {
    private func changes(_ watcher: Socket) -> [String] {
      watcher.events.compactMap {
        switch $0 {
        case .join(_, let member): "join \(member.id)"
        case .leave(_, let member): "leave \(member.id)"
        default: nil
        }
      }
    }

    @Test func aSessionStaysFromPollToPollOnAnyNodeAndThenLeaves() async throws {
      let cluster = try await ClusterTests.cluster()
      let watcher = try await Socket(to: cluster.node(0))
      try await watcher.subscribe("room:poll-who", presence: .watch)
      let first = try await HTTP.poll(cluster.node(0), "room:poll-who", "wait=1&presence=join")
      let secret = try #require(first.headers.first(name: "Sluice-Session"))
      let session = try #require(Session(secret: secret, user: nil))
      var cursor = try #require(first.poll).cursor
      // More than twice the grace of 3 s, and on each node in turn.
      for round in 0..<7 {
        let answer = try await HTTP.poll(
          cluster.node((round + 1) % 3),
          "room:poll-who",
          "since=\(cursor)&wait=1&presence=join",
          headers: ["Sluice-Session": secret]
        )
        #expect(answer.status == .ok)
        #expect(!answer.headers.contains(name: "Sluice-Session"))
        cursor = try #require(answer.poll).cursor
      }
      #expect(changes(watcher) == ["join \(session.member)"])
      try await eventually("the leave after the grace") {
        changes(watcher) == ["join \(session.member)", "leave \(session.member)"]
      }
      watcher.abort()
    }

    @Test func aHeldPollHearsOthersComeAndGo() async throws {
      let cluster = try await ClusterTests.cluster()
      let start = try #require(try await HTTP.poll(cluster.node(0), "room:poll-hear", "wait=0").poll).cursor
      let held = try await Metrics.heldPolls(of: cluster.operating(0))
      async let answer = HTTP.poll(
        cluster.node(0),
        "room:poll-hear",
        "since=\(start)&wait=55&presence=watch"
      )
      try await eventually("a held poll") {
        try await Metrics.heldPolls(of: cluster.operating(0)) == held + 1
      }
      let socket = try await Socket(to: cluster.node(1))
      let member = try await socket.welcome().session.member
      try await socket.subscribe("room:poll-hear", presence: .join)
      guard case .join(_, let joined)? = try await answer.poll?.events.first else {
        Issue.record("the poll heard nothing")
        return
      }
      #expect(joined.id == member)
      socket.abort()
    }

    @Test func oneThatGoesFromAWebSocketToPollsNeverLeft() async throws {
      let cluster = try await ClusterTests.cluster()
      let watcher = try await Socket(to: cluster.node(0))
      let room = try #require(ChannelName("room:poll-over"))
      try await watcher.subscribe(room.text, presence: .watch)
      var settings = SubscriberSettings(name: "one", endpoint: cluster.node(1), channels: [room])
      settings.presence = .join
      settings.pollWait = 1
      settings.pollInterval = .milliseconds(300)
      let fleet = try await Fleet([settings])
      try await fleet.ready()
      try await eventually("the join") { changes(watcher).count == 1 }
      for transport in [SubscriberTransport.longPoll, .eventStream, .shortPoll, .webSocket] {
        let endpoint = cluster.node(transport == .longPoll ? 2 : 0)
        _ = try await fleet.all { $0.move(to: transport, endpoint: endpoint) }
        try await eventually("a subscriber by \(transport)") {
          try await fleet.count { $0.isReady && $0.transport == transport } == 1
        }
        // As long as the grace is, so that a leave would be heard.
        try await Task.sleep(for: .milliseconds(3_500))
      }
      #expect(changes(watcher).count == 1, "\(changes(watcher))")
      try await fleet.stop()
      try await eventually("the leave", within: .seconds(30)) { changes(watcher).count == 2 }
      watcher.abort()
    }
  }
}
