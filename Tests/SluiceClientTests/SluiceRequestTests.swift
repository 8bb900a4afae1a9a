import NIOCore
import SluiceClient
import Testing
import Wire

/// Publish, history and presence as an app asks for them.
@Suite struct SluiceRequestTests {
  private func sluice(_ server: ScriptedServer) throws -> Sluice {
    try Sluice("http://127.0.0.1:\(server.endpoint.port)")
  }

  @Test func aPublishIsRepeatedWithItsKeyUntilItIsStored() async throws {
    try await ScriptedServer.run { server in
      let sluice = try sluice(server)
      async let cursor = sluice.publish("room:a", json: #"{"n":1}"#, key: "k1")
      let peer = try await server.peer(0)
      for attempt in 1...2 {
        let head = try await peer.request().head
        #expect(head.hasPrefix("POST /v1/channels/room:a/messages HTTP/1.1\r\n"))
        #expect(head.contains("Idempotency-Key: k1\r\n"))
        #expect(try await peer.text(to: "}") == #"{"n":1}"#)
        if attempt == 1 { peer.say(Script.problem("503 Service Unavailable", .unavailable)) }
      }
      peer.say(Script.answer("201 Created", #"{"channel":"room:a","cursor":"aaaaaaaa.7"}"#))
      #expect(try await cursor == Script.cursor(7))
    }
  }

  @Test func aRefusalIsThrownWithItsCode() async throws {
    try await ScriptedServer.run { server in
      let sluice = try sluice(server)
      async let cursor = sluice.publish("audit:a", json: "1")
      let peer = try await server.peer(0)
      _ = try await peer.request()
      peer.say(Script.problem("403 Forbidden", .forbidden))
      do {
        _ = try await cursor
        Issue.record("it was published")
      } catch let error as SluiceError {
        #expect(error.code == .forbidden)
        #expect(error.message == "so it is")
      }
    }
  }

  @Test func aCancelledPublishLetsItsConnectionGo() async throws {
    try await ScriptedServer.run { server in
      let sluice = try sluice(server)
      let task = Task { try await sluice.publish("room:a", json: "1") }
      let peer = try await server.peer(0)
      _ = try await peer.request()
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
      _ = try await eventually("the end of the connection") { peer.isEnded ? true : nil }
    }
  }

  @Test func readsHistoryAndPresence() async throws {
    try await ScriptedServer.run { server in
      let sluice = try sluice(server)
      async let page = sluice.history("room:a", .since(.cursor(Script.cursor(4))), limit: 2)
      let peer = try await server.peer(0)
      #expect(
        try await peer.request().line
          == "GET /v1/channels/room:a/messages?since=aaaaaaaa.4&limit=2 HTTP/1.1"
      )
      let message = Message(cursor: Script.cursor(5), data: ByteBuffer(string: "[1]"), user: "ada", time: 3)
      let history = ServerEvent.history(
        id: nil,
        channel: Script.room,
        messages: [message],
        cursor: Script.cursor(5),
        gap: nil
      )
      peer.say(Script.answer("200 OK", Script.json(history)))
      let read = try await page
      #expect(read.messages.map(\.json) == ["[1]"])
      #expect(read.messages.map(\.user) == ["ada"])
      #expect(read.cursor == Script.cursor(5))

      async let members = sluice.presence("room:a", limit: 1)
      #expect(try await peer.request().line == "GET /v1/channels/room:a/presence?limit=1 HTTP/1.1")
      let answer = PresencePage(members: [Member(id: "m", since: 1)], count: 2, users: 0, next: "m")
      peer.say(Script.answer("200 OK", Script.json(.presence(id: nil, channel: Script.room, page: answer))))
      #expect(try await members == answer)
      #expect(server.peerCount == 1)
    }
  }
}
