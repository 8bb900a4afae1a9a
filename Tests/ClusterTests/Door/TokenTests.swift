import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// A node that asks for tokens.
  @Suite struct TokenTests {
    private func bearer(_ token: String) -> HTTPHeaders { ["Authorization": "Bearer \(token)"] }

    @Test func withoutATokenNobodyComesIn() async throws {
      try await DoorKeys.withNode { node in
        let paths = [
          "/v1/stream?channels=hall:a", "/v1/poll?channels=hall:a&wait=1", "/v1/poll?channels=hall:a&wait=0",
          "/v1/channels/hall:a/messages", "/v1/channels/hall:a/presence", "/v1/socket",
        ]
        for path in paths {
          let none = try await HTTP.get(node.endpoint, path)
          #expect(none.status == .unauthorized && none.problem == "unauthorized", "\(path)")
          #expect(none.headers.first(name: "WWW-Authenticate") == "Bearer")
          let bad = try await HTTP.get(node.endpoint, path, headers: bearer("a.b.c"))
          #expect(bad.status == .unauthorized && bad.problem == "unauthorized", "\(path)")
          #expect(
            bad.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer error=\"invalid_token\"") == true
          )
          let late = try await HTTP.get(
            node.endpoint,
            path,
            headers: bearer(try await DoorKeys.token(lasting: -5))
          )
          #expect(late.status == .unauthorized && late.problem == "token_expired", "\(path)")
        }
        #expect(try await HTTP.publish("hall:a", "1", to: node.endpoint).status == .unauthorized)
        #expect(try await HTTP.get(node.endpoint, "/v1/openapi.json").status == .ok)
      }
    }

    @Test func aHandshakeIsRefusedInAWayThatItsClientCanRead() async throws {
      try await DoorKeys.withNode { node in
        // A program reads the status; a page cannot, and is told by the close code.
        let program = try await Socket(to: node.endpoint, headers: bearer("a.b.c"))
        guard case .refused(let answer) = try await program.closure() else {
          Issue.record("it was not refused")
          return
        }
        #expect(answer.status == 401)
        let origin = "http://\(node.endpoint.host):\(node.endpoint.port)"
        var headers = bearer("a.b.c")
        headers.add(name: "Origin", value: origin)
        let page = try await Socket(to: node.endpoint, headers: headers)
        #expect(try await page.error().code == .unauthorized)
        #expect(try await page.closeCode() == 4001)
        headers = bearer(try await DoorKeys.token(lasting: -5))
        headers.add(name: "Origin", value: origin)
        let late = try await Socket(to: node.endpoint, headers: headers)
        #expect(try await late.error().code == .tokenExpired)
        #expect(try await late.closeCode() == 4004)
      }
    }

    @Test func aTokenComesInThreeWays() async throws {
      try await DoorKeys.withNode { node in
        let token = try await DoorKeys.token()
        for (path, headers) in [
          ("/v1/socket", bearer(token)), ("/v1/socket?token=\(token)", [:]),
          ("/v1/socket", ["Sec-WebSocket-Protocol": "sluice.v1.json, bearer.\(token)"]),
          ("/v1/socket", ["Sec-WebSocket-Protocol": "bearer.\(token)"]),
        ] as [(String, HTTPHeaders)] {
          let socket = try await Socket(to: node.endpoint, path: path, headers: headers)
          let chosen = try await socket.opened().headers.first(name: "Sec-WebSocket-Protocol")
          let offered = headers.first(name: "Sec-WebSocket-Protocol")
          #expect(chosen == (offered?.contains("sluice.v1.json") == true ? "sluice.v1.json" : offered))
          let user = try await socket.event("welcome") { event -> String?? in
            if case .welcome(_, _, let user, _) = event { .some(user) } else { nil }
          }
          #expect(user == "ada")
          socket.abort()
        }
        let stream = try await Stream(to: node.endpoint, "channels=room:a&token=\(token)")
        _ = try await stream.event("welcome")
        stream.abort()
      }
    }

    @Test func rightsAreTheSameOnEveryTransport() async throws {
      try await DoorKeys.withNode { node in
        let token = try await DoorKeys.token(
          subscribe: ["room:a", "stage:*"],
          publish: ["room:a", "stage:*"],
          history: ["room:b"],
          presence: []
        )
        let headers = bearer(token)
        let get = { (path: String) in try await HTTP.get(node.endpoint, path, headers: headers).status }
        #expect(try await get("/v1/poll?channels=room:a&wait=0") == .ok)
        #expect(try await get("/v1/poll?channels=room:a,room:b&wait=0") == .forbidden)
        #expect(try await get("/v1/poll?channels=hall:x&wait=0") == .ok)
        #expect(try await get("/v1/poll?channels=room:a&wait=0&presence=watch") == .forbidden)
        #expect(try await get("/v1/stream?channels=room:b") == .forbidden)
        #expect(try await get("/v1/channels/room:a/messages") == .forbidden)
        // All that is held is history; where one was is not.
        for path in [
          "poll?channels=room:a&wait=0&", "poll?channels=room:a&wait=1&", "stream?channels=room:a&",
        ] {
          #expect(try await get("/v1/\(path)since=start") == .forbidden, "\(path)")
        }
        #expect(try await get("/v1/poll?channels=hall:x&wait=0&since=start") == .ok)
        #expect(try await get("/v1/channels/room:b/messages") == .ok)
        #expect(try await get("/v1/channels/room:a/presence") == .forbidden)
        #expect(try await get("/v1/channels/hall:x/presence") == .ok)
        for (channel, status) in [
          ("room:a", HTTPResponseStatus.created), ("room:b", .forbidden), ("hall:x", .created),
          ("stage:x", .forbidden), ("yard:x", .forbidden), ("plain", .forbidden),
        ] {
          var headers = headers
          headers.add(name: "Content-Type", value: "application/json")
          let request = HTTPRequest(
            .POST,
            "/v1/channels/\(channel)/messages",
            headers: headers,
            body: ByteBuffer(string: "1")
          )
          #expect(try await HTTP.send(request, to: node.endpoint).status == status, "\(channel)")
        }
        let socket = try await Socket(to: node.endpoint, headers: headers)
        try await socket.subscribe("room:a", id: 1)
        let b = try #require(ChannelName("room:b"))
        let a = try #require(ChannelName("room:a"))
        socket.send(2, .subscribe(channel: b, since: nil, presence: nil))
        #expect(try await socket.error(2).code == .forbidden)
        socket.send(3, .publish(channel: b, data: ByteBuffer(string: "1"), key: nil))
        #expect(try await socket.error(3).code == .forbidden)
        socket.send(4, .history(channel: a, range: .newest, limit: nil))
        #expect(try await socket.error(4).code == .forbidden)
        socket.send(5, .presence(channel: a, limit: nil, after: nil))
        #expect(try await socket.error(5).code == .forbidden)
        socket.send(6, .unsubscribe(channel: a))
        socket.send(7, .subscribe(channel: a, since: .start, presence: nil))
        #expect(try await socket.error(7).code == .forbidden)
        #expect(!socket.isClosed)
        socket.abort()
      }
    }

    /// Where a namespace says nothing: a token that names channels is held to them, one that names none is not.
    @Test func aTokenIsHeldToTheChannelsThatItNames() async throws {
      try await DoorKeys.withNode { node in
        let end = WallClock.milliseconds() / 1_000 + 600
        for (channels, status) in [
          (#""channels":{"subscribe":["yard:*"],"publish":["yard:*"]}"#, HTTPResponseStatus.created),
          (#""channels":{"subscribe":["lawn:*"],"publish":["lawn:*"]}"#, .forbidden),
          (#""channels":{}"#, .forbidden), (#""channels":null"#, .created), (#""aud":[]"#, .created),
        ] {
          let token = try await DoorKeys.sign(#"{"sub":"ada","exp":\#(end),\#(channels)}"#)
          let request = HTTPRequest(
            .POST,
            "/v1/channels/yard:a/messages",
            headers: bearer(token),
            body: ByteBuffer(string: "1")
          )
          #expect(try await HTTP.send(request, to: node.endpoint).status == status, "\(channels)")
          let isIn = status == .created
          for path in [
            "channels/yard:a/messages", "channels/yard:a/presence", "poll?channels=yard:a&wait=0&since=start",
          ] {
            let answer = try await HTTP.get(node.endpoint, "/v1/\(path)", headers: bearer(token))
            #expect(answer.status == (isIn ? .ok : .forbidden), "\(path) with \(channels)")
          }
          let socket = try await Socket(to: node.endpoint, headers: bearer(token))
          if isIn {
            try await socket.subscribe("yard:a", since: .start, presence: .join)
          } else {
            socket.send(
              1,
              .subscribe(channel: try #require(ChannelName("yard:a")), since: nil, presence: nil)
            )
            #expect(try await socket.error(1).code == .forbidden)
          }
          socket.abort()
        }
      }
    }

    @Test func aSessionBelongsToItsUser() async throws {
      try await DoorKeys.withNode { node in
        let ada = try await Socket(to: node.endpoint, headers: bearer(try await DoorKeys.token("ada")))
        let session = try await ada.welcome().session
        try await ada.subscribe("room:a", presence: .join)
        let path = "/v1/socket?session=\(session.secret)"
        let again = try await Socket(
          to: node.endpoint,
          path: path,
          headers: bearer(try await DoorKeys.token("ada"))
        )
        #expect(try await again.welcome().session == session)
        let eve = try await Socket(
          to: node.endpoint,
          path: path,
          headers: bearer(try await DoorKeys.token("eve"))
        )
        #expect(try await eve.welcome().session.member != session.member)
        let members = try await HTTP.get(
          node.endpoint,
          "/v1/channels/room:a/presence",
          headers: bearer(try await DoorKeys.token("eve"))
        )
        let member = try #require(members.object?["members"]?.elements?.first?.object)
        #expect(member["user"]?.string == "ada")
        #expect(member["info"].map { String(buffer: $0.bytes) } == #"{"name":"A"}"#)
        for socket in [ada, again, eve] { socket.abort() }
      }
    }
  }
}
