import Admission
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import GatewayNode

/// A node that asks a backend.
@Suite struct DecidedNodeTests {
  private func with(
    _ answer: @escaping @Sendable (Backend.Asked) -> Backend.Answer,
    settings adjust: (inout NodeSettings) -> Void = { _ in },
    _ body: (RunningNode, Backend) async throws -> Void
  ) async throws {
    let backend = try await Backend(answer)
    try await RunningNode.with(
      settings: {
        $0.webhook = WebhookSettings(url: backend.url)
        adjust(&$0)
      },
      { try await body($0, backend) }
    )
    try await backend.stop()
  }

  private static func kind(_ asked: Backend.Asked) -> String? {
    (try? JSONObject(asked.body))?["kind"]?.string
  }

  private static func channel(_ asked: Backend.Asked) -> String? {
    (try? JSONObject(asked.body))?["channel"]?.string
  }

  /// One line of a stream holds one message, whoever wrote it.
  @Test func whatABackendPublishesInsteadIsOneLine() async throws {
    try await with({ _ in .json("{\n  \"allow\": true,\n  \"data\": {\n    \"text\": \"hi\"\n  }\n}") }) {
      running,
      _ in
      let reader = try await RawClient.connect(to: running.node.address)
      try await reader.send("GET /v1/stream?channels=a HTTP/1.1\r\nHost: a\r\n\r\n")
      try await reader.received("welcome")
      #expect(try await running.askAsClient(.POST, "/v1/channels/a/messages", "1").status == .created)
      let text = try await reader.received("\"type\":\"message\"", "\n\n")
      let message = try #require(text.components(after: "\"type\":\"message\""))
      #expect(message.prefix { $0 != "\n" }.contains(#""text": "hi""#), "\(text)")
      try await reader.close()
    }
  }

  /// What a backend allows one it may refuse another: no cache may give it away.
  @Test(
    arguments: [
      ([.connect], true), ([.subscribe], true), ([.publish], false), ([], false),
    ] as [(Set<Question.Kind>, Bool)]
  )
  func aShortPollThatIsDecidedIsPrivate(_ decides: Set<Question.Kind>, _ isPrivate: Bool) async throws {
    try await with({ _ in .json(#"{"allow":true}"#) }, settings: { $0.webhook.decides = decides }) {
      running,
      _ in
      let answer = try await running.askAsClient(.GET, "/v1/poll?wait=0&channels=a")
      #expect(answer.status == .ok)
      #expect(
        answer.headers["Cache-Control"] == [isPrivate ? "private, no-store" : "public, max-age=1"]
      )
    }
  }

  @Test func aPublishIsOfTheMemberWhoseSessionItShows() async throws {
    try await with(
      { _ in .json(#"{"allow":true}"#) },
      settings: { $0.webhook.decides = [.publish] }
    ) { running, backend in
      let own = Session(user: nil)
      for (session, member) in [(own.secret, own.member), (Session(user: "ada").secret, nil), ("x", nil)] {
        let client = try await RawClient.connect(to: running.node.address)
        try await client.send(
          "POST /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\nSluice-Session: \(session)\r\n"
            + "Content-Length: 1\r\n\r\n1"
        )
        try await client.received("HTTP/1.1 201 ")
        try await client.close()
        let asked = try #require(backend.asked.last)
        #expect(try JSONObject(asked.body)["member"]?.string == member)
      }
    }
  }

  /// However few connections lead to the backend.
  @Test(arguments: [1, 4]) func aPollOfManyChannelsIsAskedForBitByBit(connections: Int) async throws {
    try await with(
      { _ in .json(#"{"allow":true}"#) },
      settings: {
        $0.webhook.connections = connections
        $0.webhook.decides = [.subscribe]
      }
    ) { running, backend in
      let names = (0..<100).map { "c\($0)" }
      let path = "/v1/poll?wait=0&channels=\(names.joined(separator: ","))"
      let answer = try await running.askAsClient(.GET, path)
      #expect(answer.status == .ok, "\(answer.text)")
      #expect(Set(backend.asked.compactMap(DecidedNodeTests.channel)) == Set(names))
      // Whatever is asked beside it gets no answer.
      backend.answers {
        switch DecidedNodeTests.channel($0) {
        case "c0", "c1", "c2": .json(#"{"allow":true}"#)
        case "c3": .json(#"{"allow":false}"#)
        default: .silence
        }
      }
      let before = backend.asked.count
      let refused = try await running.askAsClient(.GET, path)
      #expect(refused.status == .forbidden)
      #expect(backend.asked.count - before <= 8, "the first no is the last answer")
    }
  }

  /// Who asks much waits for its own answers, and nobody else does.
  @Test func aGreedyClientLeavesRoomForOthers() async throws {
    try await with(
      { asked in
        DecidedNodeTests.channel(asked)?.hasPrefix("greedy") == true
          ? .late(.milliseconds(200), #"{"allow":true}"#) : .json(#"{"allow":true}"#)
      },
      settings: { $0.webhook.decides = [.subscribe] }
    ) { running, backend in
      let greedy = try await RawClient.socket(to: running.node.address)
      try await greedy.say((0..<120).map { #"{"type":"subscribe","id":\#($0),"channel":"greedy:\#($0)"}"# })
      let deadline = NIODeadline.now() + .seconds(20)
      while backend.asked.count < 16 {
        try #require(NIODeadline.now() < deadline)
        try await Task.sleep(for: .milliseconds(1))
      }
      for number in 0..<5 {
        let answer = try await running.askAsClient(.GET, "/v1/poll?wait=0&channels=other\(number)")
        #expect(answer.status == .ok, "\(answer.text)")
      }
      let text = try await greedy.received(#""id":119,"channel":"greedy:119""#)
      #expect(!text.contains("overloaded"))
      try await greedy.close()
    }
  }

  @Test func whatABackendPublishesInsteadIsNoLargerThanAllowed() async throws {
    let large = String(repeating: "x", count: 100)
    try await with(
      { _ in .json("{\"allow\":true,\"data\":\"\(large)\"}") },
      settings: {
        $0.namespaces.named["small"] = NamespaceOptions()
        $0.namespaces.named["small"]?.maxMessageBytes = 100
      }
    ) { running, _ in
      let answer = try await running.askAsClient(.POST, "/v1/channels/small:a/messages", "1")
      #expect(answer.status == .payloadTooLarge)
      #expect(try await running.askAsClient(.POST, "/v1/channels/a/messages", "1").status == .created)
    }
  }
}
