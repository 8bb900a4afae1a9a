import Admission
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import GatewayNode

/// What is held and asked of one node, against its limits.
@Suite struct LimitTests {
  private static let proxied = AddressRange("127.0.0.0/8")

  private func poll(_ running: RunningNode, _ query: String, for address: String) async throws -> RawClient {
    let client = try await RawClient.connect(to: running.node.address)
    try await client.send(
      "GET /v1/poll?\(query) HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: \(address)\r\n\r\n"
    )
    return client
  }

  private func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = NIODeadline.now() + .seconds(20)
    while try await !condition() {
      try #require(NIODeadline.now() < deadline, what)
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// A poll that goes on where another one ended costs no connect, and a place all the same.
  @Test func aPollThatGoesOnIsOneOfItsAddress() async throws {
    try await RunningNode.with(settings: {
      $0.trustedProxies = [LimitTests.proxied!]
      $0.connectionsPerAddress = 1
    }) { running in
      let published = try await running.askAsClient(.POST, "/v1/channels/a/messages", "1")
      let cursor = try #require(try published.json["cursor"]?.string)
      let query = "channels=a&wait=50&since=a@\(cursor)"
      let held = try await poll(running, query, for: "192.0.2.1")
      try await eventually("a held poll") {
        try await running.ask(.GET, "/v1/nodes/n1").text.contains(#""poll":1"#)
      }
      let more = try await poll(running, query, for: "192.0.2.1")
      #expect(try await more.received("\r\n\r\n", "}").hasPrefix("HTTP/1.1 429 "))
      let other = try await poll(running, query, for: "192.0.2.2")
      try await eventually("a poll of another address") {
        try await running.ask(.GET, "/v1/nodes/n1").text.contains(#""poll":2"#)
      }
      for client in [held, more, other] { try await client.close() }
      try await eventually("room again") {
        let again = try await poll(running, "channels=a&wait=1&since=a@\(cursor)", for: "192.0.2.1")
        return try await again.received("\r\n\r\n", "}").hasPrefix("HTTP/1.1 200 ")
      }
    }
  }

  /// Who is told to go connects anew first, and lets go then.
  @Test func whoIsToldToGoHasRoomToComeAgain() async throws {
    let backend = try await Backend { _ in .json(#"{"allow":true,"user":"ada"}"#) }
    try await RunningNode.with(settings: {
      $0.webhook = WebhookSettings(url: backend.url)
      $0.connectionsPerUser = 1
      $0.maxConnectionAge = .milliseconds(500)
    }) { running in
      let first = try await RawClient.socket(to: running.node.address)
      try await first.received(#""type":"goaway","reason":"age""#)
      let second = try await RawClient.socket(to: running.node.address)
      #expect(!first.hasEnded)
      try await first.close()
      try await second.close()
    }
    try await backend.stop()
  }

  /// Ever new names cost their address, however they are given; names that are followed cost nothing.
  @Test func anAddressHasOnlySoManyChannelsFollowedAnew() async throws {
    try await RunningNode.with(settings: {
      $0.eventLoops = 1
      $0.trustedProxies = [LimitTests.proxied!]
      $0.subscribesPerAddress = 1
    }) { running in
      // More than may come at once is let in once, and takes a minute to make up for.
      let names = { (part: String) in (0..<60).map { "\(part)\($0)" }.joined(separator: ",") }
      let known = try await poll(running, "wait=0&channels=\(names("a"))", for: "192.0.2.1")
      #expect(try await known.received("\r\n\r\n", "}").hasPrefix("HTTP/1.1 200 "))
      for query in ["wait=0&channels=\(names("b"))", "wait=20&channels=\(names("b"))"] {
        let more = try await poll(running, query, for: "192.0.2.1")
        let text = try await more.received("\r\n\r\n", "}")
        #expect(text.hasPrefix("HTTP/1.1 429 ") && text.contains("rate_limited"), "\(text)")
        #expect(text.contains("Retry-After: "))
      }
      let stream = try await RawClient.connect(to: running.node.address)
      try await stream.send(
        "GET /v1/stream?channels=\(names("c")) HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
      )
      try await stream.received("HTTP/1.1 429 ")
      for _ in 0..<20 {
        let again = try await poll(running, "wait=0&channels=\(names("a"))", for: "192.0.2.1")
        #expect(try await again.received("\r\n\r\n", "}").hasPrefix("HTTP/1.1 200 "))
      }
      let other = try await poll(running, "wait=0&channels=\(names("b"))", for: "192.0.2.2")
      #expect(try await other.received("\r\n\r\n", "}").hasPrefix("HTTP/1.1 200 "))
      let metrics = try await running.ask(.GET, "/metrics").text
      #expect(metrics.contains("sluice_refused_total{reason=\"subscribes\"} 3\n"))
    }
  }

  /// Each WebSocket has a rate of its own, and all that come from an address one together.
  @Test func socketsThatComeAgainAreOfOneAddress() async throws {
    try await RunningNode.with(settings: {
      $0.eventLoops = 1
      $0.subscribesPerAddress = 1
    }) { running in
      let names = (0..<60).map { "a\($0)" }.joined(separator: ",")
      #expect(try await running.askAsClient(.GET, "/v1/poll?wait=0&channels=\(names)").status == .ok)
      for round in 0..<3 {
        let socket = try await RawClient.socket(to: running.node.address)
        try await socket.say(
          #"{"type":"subscribe","id":1,"channel":"new\#(round)"}"#,
          #"{"type":"subscribe","id":2,"channel":"a1"}"#
        )
        try await socket.received(#""type":"error","id":1,"code":"rate_limited""#)
        try await socket.received(#""type":"subscribed","id":2,"#)
        try await socket.close()
      }
    }
  }

  /// A join by a poll lasts for longer than the poll.
  @Test func joinsByPollsAreCounted() async throws {
    try await RunningNode.with(settings: {
      $0.eventLoops = 1
      $0.subscribesPerAddress = 1
    }) { running in
      let query = "wait=0&presence=join&channels=\((0..<60).map { "a\($0)" }.joined(separator: ","))"
      let first = try await running.askAsClient(.GET, "/v1/poll?\(query)")
      #expect(first.status == .ok)
      let other = try await running.askAsClient(.GET, "/v1/poll?\(query)")
      #expect(other.status == .tooManyRequests, "a session of its own joins anew")
      let session = try #require(first.headers.first(name: "Sluice-Session"))
      for _ in 0..<10 {
        let again = try await RawClient.connect(to: running.node.address)
        try await again.send(
          "GET /v1/poll?\(query) HTTP/1.1\r\nHost: a\r\nSluice-Session: \(session)\r\n\r\n"
        )
        #expect(try await again.received("\r\n\r\n").hasPrefix("HTTP/1.1 200 "))
        try await again.close()
      }
    }
  }

  @Test func aConnectionHasOnlySoManyChannelsOnEveryTransport() async throws {
    try await RunningNode.with(settings: { $0.channelsPerConnection = 3 }) { running in
      for query in ["poll?wait=0&channels=", "poll?wait=1&channels=", "stream?channels="] {
        let answer = try await running.askAsClient(.GET, "/v1/\(query)a,b,c,d")
        #expect(answer.status == .badRequest && answer.text.contains("3 at most"), "\(query): \(answer.text)")
      }
      #expect(try await running.askAsClient(.GET, "/v1/poll?wait=0&channels=a,b,c").status == .ok)
      let metrics = try await running.ask(.GET, "/metrics").text
      #expect(metrics.contains("sluice_refused_total{reason=\"channels\"} 3\n"))
    }
  }
}
