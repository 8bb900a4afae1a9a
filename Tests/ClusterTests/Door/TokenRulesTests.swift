import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// What a token must say beside its signature, as the settings have it, on every transport.
  @Suite struct TokenRulesTests {
    private static let paths = [
      "/v1/poll?channels=room:a&wait=0", "/v1/poll?channels=room:a&wait=1", "/v1/stream?channels=room:a",
      "/v1/channels/room:a/messages", "/v1/channels/room:a/presence", "/v1/socket",
    ]

    private func bearer(_ token: String) -> HTTPHeaders { ["Authorization": "Bearer \(token)"] }

    private func token(_ claims: String...) async throws -> String {
      let all = ["\"sub\":\"ada\"", #""channels":{"subscribe":["room:*"],"publish":["room:*"]}"#] + claims
      return try await DoorKeys.sign("{\(all.joined(separator: ","))}")
    }

    /// When, in seconds since 1970.
    private func time(_ seconds: Int64) -> Int64 { WallClock.milliseconds() / 1_000 + seconds }

    /// It is refused wherever it comes, and the reason is said.
    private func refuses(
      _ token: String,
      _ reason: String,
      _ node: LoneNode,
      _ sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      for path in TokenRulesTests.paths {
        let answer = try await HTTP.get(node.endpoint, path, headers: bearer(token))
        #expect(
          answer.status == .unauthorized && answer.problem == "unauthorized",
          "\(path): \(answer.status)",
          sourceLocation: sourceLocation
        )
        #expect(
          answer.object?["detail"]?.string == "the token is not accepted: \(reason)",
          "\(path): \(answer.text)",
          sourceLocation: sourceLocation
        )
        #expect(
          answer.headers.first(name: "WWW-Authenticate")?.hasPrefix("Bearer error=\"invalid_token\"") == true,
          sourceLocation: sourceLocation
        )
      }
      // A page sees a close code.
      var headers = bearer(token)
      headers.add(name: "Origin", value: "http://\(node.endpoint.host):\(node.endpoint.port)")
      let page = try await Socket(to: node.endpoint, headers: headers)
      let (code, error) = try await (page.closeCode(), page.error())
      #expect(code == 4001, sourceLocation: sourceLocation)
      #expect(error.message.hasSuffix(reason), sourceLocation: sourceLocation)
    }

    /// It is taken wherever it comes.
    private func takes(
      _ token: String,
      _ node: LoneNode,
      _ sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      for path in TokenRulesTests.paths.dropLast() where !path.contains("/stream") {
        let status = try await HTTP.get(node.endpoint, path, headers: bearer(token)).status
        #expect(status == .ok, "\(path)", sourceLocation: sourceLocation)
      }
      let stream = try await Stream(to: node.endpoint, "channels=room:a", headers: bearer(token))
      _ = try await stream.event("welcome")
      let socket = try await Socket(to: node.endpoint, headers: bearer(token))
      try await socket.subscribe("room:a")
      stream.abort()
      socket.abort()
    }

    /// `token` on a live connection goes by the same rules; what is refused there leaves the connection as it is.
    private func refreshes(
      _ good: String,
      _ others: [(token: String, reason: String)],
      _ node: LoneNode
    ) async throws {
      let socket = try await Socket(to: node.endpoint, headers: bearer(good))
      try await socket.subscribe("room:a")
      for (number, other) in others.enumerated() {
        let id = Int64(10 + number)
        socket.send(id, .token(other.token))
        let error = try await socket.error(id)
        #expect(error.code == .unauthorized && error.message.hasSuffix(other.reason))
      }
      socket.send(9, .token(good))
      _ = try await socket.event("refreshed") { if case .refreshed(9, _) = $0 { true } else { nil } }
      let channel = try #require(ChannelName("room:a"))
      socket.send(nil, .publish(channel: channel, data: ByteBuffer(string: "\"still here\""), key: nil))
      try await socket.message("\"still here\"")
      #expect(!socket.isClosed)
      socket.abort()
    }

    @Test func aTokenWithoutAnEndIsRefusedUnlessThatIsSaid() async throws {
      let endless = try await token()
      try await DoorKeys.withNode { node in
        try await refuses(endless, "it has no exp", node)
        let good = try await token("\"exp\":\(time(600))")
        try await takes(good, node)
        try await refreshes(good, [(endless, "it has no exp")], node)
      }
      try await DoorKeys.withNode("--token-expiry", "optional") { node in
        try await takes(endless, node)
        try await refreshes(endless, [("a.b.c", "it is not base64url")], node)
        // One that has an end is over at it all the same.
        let late = try await token("\"exp\":\(time(-5))")
        let answer = try await HTTP.get(
          node.endpoint,
          "/v1/channels/room:a/messages",
          headers: bearer(late)
        )
        #expect(answer.status == .unauthorized && answer.problem == "token_expired")
      }
    }

    @Test func audienceAndIssuerAreThoseOfTheSettings() async throws {
      let options = ["--token-audience", "sluice,chat", "--token-issuer", "https://id.example,urn:two"]
      let end = "\"exp\":\(time(600))"
      let (aud, iss) = (#""aud":["x","chat"]"#, #""iss":"https://id.example""#)
      try await DoorKeys.withNode(options: options) { node in
        let good = try await token(end, aud, iss)
        try await takes(good, node)
        try await takes(try await token(end, #""aud":"sluice""#, #""iss":"urn:two""#), node)
        let (other, another) = ("its aud is another", "its iss is another")
        var refused: [(token: String, reason: String)] = []
        for aud in [#""aud":"Chat""#, #""aud":["x","y"]"#, #""aud":[]"#, #""aud":"sluice,chat""#] {
          refused.append((try await token(end, aud, iss), other))
        }
        refused.append((try await token(end, iss), other))
        for iss in [#""iss":"https://id.example/""#, #""iss":"http://id.example""#] {
          refused.append((try await token(end, aud, iss), another))
        }
        refused.append((try await token(end, aud), another))
        for (token, reason) in refused { try await refuses(token, reason, node) }
        try await refreshes(good, refused, node)
      }
      // Whatever they are where nothing is asked for.
      try await DoorKeys.withNode { node in
        try await takes(try await token(end, aud, iss), node)
      }
    }
  }
}
