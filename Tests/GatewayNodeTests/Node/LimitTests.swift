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
}
