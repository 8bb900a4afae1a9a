import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

@Suite struct PublisherTests {
  private func publisher(_ server: ScriptedServer) async throws -> Confined<Publisher> {
    let endpoint = server.endpoint
    return try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      Publisher(
        to: [endpoint],
        connections: 1,
        backoff: Backoff(floor: .milliseconds(1), base: .milliseconds(5), ceiling: .milliseconds(20)),
        on: loop
      )
    }
  }

  private func publish(
    _ publisher: Confined<Publisher>,
    _ data: String,
    within: TimeAmount = .seconds(10)
  ) -> Inbox<Result<Publisher.Receipt, Publisher.Failure>> {
    let answers = Inbox<Result<Publisher.Receipt, Publisher.Failure>>()
    publisher.use(soon: { publisher in
      publisher.publish(ChannelName("room:a")!, data: ByteBuffer(string: data), deadline: .now() + within) {
        answers.append($0)
      }
    })
    return answers
  }

  private func key(of request: String) -> Substring? {
    request.split(separator: "\r\n").first { $0.hasPrefix("Idempotency-Key: ") }
  }

  private func answer(_ status: String, _ body: String = "", headers: String = "") -> String {
    "HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private let stored = #"{"channel":"room:a","cursor":"k3f9x2ab.7"}"#

  @Test func keepsItsConnectionAlive() async throws {
    try await ScriptedServer.run { server in
      let publisher = try await publisher(server)
      for number in 1...3 {
        let answers = publish(publisher, "\(number)")
        let peer = try await server.peer(0)
        let request = try await peer.text(to: "\r\n\r\n\(number)")
        #expect(request.hasPrefix("POST /v1/channels/room:a/messages HTTP/1.1\r\n"))
        peer.say(answer("201 Created", stored))
        let receipt = try await answers.first("an answer") { $0 }.get()
        #expect(receipt.cursor == Cursor("k3f9x2ab.7"))
        #expect(!receipt.isRepeated)
        #expect(receipt.attempts == 1)
      }
      #expect(server.peerCount == 1)
      try await publisher.use { $0.close() }
    }
  }

  @Test func triesAgainWithTheSameKey() async throws {
    try await ScriptedServer.run { server in
      let publisher = try await publisher(server)
      let answers = publish(publisher, "1")
      let first = try await server.peer(0)
      let refused = try await first.text(to: "\r\n\r\n1")
      first.say(answer("503 Service Unavailable", headers: "Retry-After: 0\r\n"))
      let unanswered = try await first.text(to: "\r\n\r\n1")
      first.close()
      let second = try await server.peer(1)
      let last = try await second.text(to: "\r\n\r\n1")
      second.say(answer("200 OK", stored))
      let receipt = try await answers.first("an answer") { $0 }.get()
      #expect(receipt.isRepeated)
      #expect(receipt.attempts == 3)
      #expect(key(of: refused) != nil)
      #expect(key(of: refused) == key(of: unanswered))
      #expect(key(of: refused) == key(of: last))
      #expect(try await publisher.use { $0.failedAttempts } == 2)
      #expect(try await publisher.use { $0.unsettled } == 0)
      try await publisher.use { $0.close() }
    }
  }

  @Test func givesUpWhatIsRefusedAndWhatTakesTooLong() async throws {
    try await ScriptedServer.run { server in
      let publisher = try await publisher(server)
      let answers = publish(publisher, "1")
      let peer = try await server.peer(0)
      _ = try await peer.text(to: "\r\n\r\n1")
      peer.say(answer("413 Too Large", "{}"))
      guard case .failure(let failure) = try await answers.first("an answer", { $0 }) else {
        Issue.record("it was stored")
        return
      }
      #expect(failure.status == 413)
      let late = publish(publisher, "2", within: .milliseconds(1))
      _ = try await peer.text(to: "\r\n\r\n2")
      peer.say(answer("503 Service Unavailable", headers: "Retry-After: 1\r\n"))
      guard case .failure(let timeout) = try await late.first("an answer", { $0 }) else {
        Issue.record("it was stored")
        return
      }
      #expect(timeout.status == 503)
      try await publisher.use { $0.close() }
    }
  }
}
