import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing

@Suite struct EventStreamConnectionTests {
  private func open(
    _ server: ScriptedServer,
    lastEventID: String? = nil
  ) async throws -> Inbox<EventStreamConnection.Event> {
    let inbox = Inbox<EventStreamConnection.Event>()
    let endpoint = server.endpoint
    _ = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      EventStreamConnection(to: endpoint, path: "/v1/stream?channels=a", lastEventID: lastEventID, on: loop) {
        inbox.append($0)
      }
    }
    return inbox
  }

  private func closure(_ inbox: Inbox<EventStreamConnection.Event>) async throws
    -> EventStreamConnection.Closure
  {
    try await inbox.first("the end") { if case .closed(let closure) = $0 { closure } else { nil } }
  }

  private static let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"

  @Test func readsAChunkedStreamToItsEnd() async throws {
    try await ScriptedServer.run { server in
      let inbox = try await open(server, lastEventID: "a@aaaaaaaa.1")
      let peer = try await server.peer(0)
      let request = try await peer.text(to: "\r\n\r\n")
      #expect(request.hasPrefix("GET /v1/stream?channels=a HTTP/1.1\r\n"))
      #expect(request.contains("\r\nLast-Event-ID: a@aaaaaaaa.1\r\n"))
      #expect(request.contains("\r\nAccept: text/event-stream\r\n"))
      peer.say(Self.head + "Transfer-Encoding: chunked\r\n\r\n8\r\nretry: 7\r\n3\r\n\nda\r\n")
      peer.say("9\r\nta: {}\nid\r\n5\r\n: x\n\n\r\n0\r\n\r\n")
      guard case .ended = try await closure(inbox) else {
        Issue.record("not ended")
        return
      }
      let items = inbox.all.compactMap { if case .item(let item) = $0 { item } else { nil } }
      #expect(
        items == [
          .retry(milliseconds: 7),
          .event(ServerSentEvent(lastEventID: ByteBuffer(string: "x"), data: ByteBuffer(string: "{}"))),
        ]
      )
    }
  }

  @Test func saysHowItEnded() async throws {
    try await ScriptedServer.run { server in
      let refused = try await open(server)
      let first = try await server.peer(0)
      _ = try await first.text(to: "\r\n\r\n")
      first.say("HTTP/1.1 503 No\r\nRetry-After: 2\r\nContent-Length: 3\r\n\r\nno!")
      guard case .refused(let response) = try await closure(refused) else {
        Issue.record("not refused")
        return
      }
      #expect(response.status.code == 503)
      #expect(response.retryAfter == .seconds(2))
      #expect(String(buffer: response.body) == "no!")

      let cut = try await open(server)
      let second = try await server.peer(1)
      _ = try await second.text(to: "\r\n\r\n")
      second.say(Self.head + "Transfer-Encoding: chunked\r\n\r\n4\r\n:a\n\n\r\n")
      _ = try await cut.first("a comment") { if case .item(.comment) = $0 { true } else { nil } }
      second.close()
      guard case .lost = try await closure(cut) else {
        Issue.record("not lost")
        return
      }

      let page = try await open(server)
      let third = try await server.peer(2)
      _ = try await third.text(to: "\r\n\r\n")
      third.say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n")
      guard case .refused = try await closure(page) else {
        Issue.record("a page was taken for a stream")
        return
      }
    }
  }
}
