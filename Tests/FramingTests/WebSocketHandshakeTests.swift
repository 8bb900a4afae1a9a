import Framing
import NIOHTTP1
import Testing

struct WebSocketHandshakeTests {
  static let headers: HTTPHeaders = [
    "Host": "server.example.com", "Upgrade": "websocket", "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
  ]

  private func decide(
    _ changes: [(String, String?)] = [],
    method: HTTPMethod = .GET,
    version: HTTPVersion = .http1_1
  ) -> WebSocketHandshake.Decision {
    var headers = Self.headers
    for (name, value) in changes {
      headers.remove(name: name)
      if let value { headers.add(name: name, value: value) }
    }
    return WebSocketHandshake.decide(method: method, version: version, headers: headers)
  }

  private func status(_ decision: WebSocketHandshake.Decision) -> UInt {
    switch decision {
    case .accept: 101
    case .refuse(let status, _, _): status.code
    }
  }

  @Test func acceptsTheExampleOfTheRFC() {
    guard case .accept(let key, let subprotocol) = self.decide() else {
      Issue.record("refused")
      return
    }
    #expect(key == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(subprotocol == nil)
  }

  @Test(arguments: [
    ("Connection", "keep-alive, Upgrade"), ("Connection", "UPGRADE"), ("Upgrade", "WebSocket"),
    ("Upgrade", "h2c , websocket"), ("Sec-WebSocket-Version", " 13 "),
  ])
  func acceptsTokenListsInAnyCase(name: String, value: String) {
    #expect(self.status(self.decide([(name, value)])) == 101)
  }

  @Test(
    arguments: [
      ("Upgrade", nil, 426), ("Upgrade", "websockets", 426), ("Connection", nil, 426),
      ("Connection", "close", 426),
      ("Sec-WebSocket-Version", nil, 426), ("Sec-WebSocket-Version", "8", 426),
      ("Sec-WebSocket-Version", "13, 8", 426),
      ("Sec-WebSocket-Key", nil, 400), ("Sec-WebSocket-Key", "", 400),
      ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ", 400),
      ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=a", 400),
      ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZSEh", 400),
      ("Sec-WebSocket-Key", "dGhl*HNhbXBsZSBub25jZQ==", 400),
    ] as [(String, String?, UInt)]
  )
  func refusesHeader(name: String, value: String?, status: UInt) {
    #expect(self.status(self.decide([(name, value)])) == status)
  }

  /// RFC 6455 section 9.1: what is no list of extensions fails the handshake, what is unknown is passed over.
  @Test(
    arguments: [
      ("permessage-deflate; client_max_window_bits", 101), ("x-webkit-deflate-frame", 101),
      ("permessage-deflate; server_max_window_bits=99", 101), ("a;b;c=d;e=\"f\",\tg ; h = i", 101), ("", 101),
      (", a,, b ,", 101), (#"a; b="c\d""#, 101),
      ("permessage-deflate; =", 400), ("permessage-deflate; =1", 400), ("permessage-deflate;", 400),
      (";", 400),
      ("permessage deflate", 400), ("a; b=", 400), (#"a; b="c"#, 400), (#"a; b="""#, 400),
      (#"a; b="c d""#, 400),
      (#"a; b="c\"#, 400), (#"a; b="c\""#, 400), (#"a; b="c"d"#, 400), ("a/b", 400), ("a; b=c=d", 400),
      ("a, =", 400), ("a; b\u{e9}", 400), (String(repeating: "a,", count: 513), 400),
    ] as [(String, UInt)]
  )
  func refusesWhatIsNoListOfExtensions(offer: String, status: UInt) {
    #expect(self.status(self.decide([("Sec-WebSocket-Extensions", offer)])) == status)
    var headers = Self.headers
    headers.add(name: "Sec-WebSocket-Extensions", value: "permessage-deflate")
    headers.add(name: "sec-websocket-extensions", value: offer)
    #expect(
      self.status(WebSocketHandshake.decide(method: .GET, version: .http1_1, headers: headers)) == status
    )
  }

  @Test func refusesTwoKeys() {
    var headers = Self.headers
    headers.add(name: "sec-websocket-key", value: "dGhlIHNhbXBsZSBub25jZQ==")
    let decision = WebSocketHandshake.decide(method: .GET, version: .http1_1, headers: headers)
    #expect(self.status(decision) == 400)
  }

  @Test func namesItsVersionAndMethod() {
    guard case .refuse(.upgradeRequired, let headers, _) = self.decide([("Sec-WebSocket-Version", "99")])
    else {
      Issue.record("not 426")
      return
    }
    #expect(headers.first(name: "Sec-WebSocket-Version") == "13")
    guard case .refuse(.methodNotAllowed, let allowing, _) = self.decide(method: .POST) else {
      Issue.record("not 405")
      return
    }
    #expect(allowing.first(name: "Allow") == "GET")
    #expect(self.status(self.decide(version: .http1_0)) == 400)
  }

  @Test(
    arguments: [
      ("sluice.v1.json", "sluice.v1.json", nil),
      ("chat, sluice.v1.json,bearer.a.b.c", "sluice.v1.json", "a.b.c"),
      ("bearer.a.b.c,sluice.v1.json", "sluice.v1.json", "a.b.c"),
      ("bearer.a.b.c", "bearer.a.b.c", "a.b.c"), ("chat, bearer.a.b.c", "bearer.a.b.c", "a.b.c"),
      ("bearer.a, bearer.b", "bearer.a", "a"), ("chat", nil, nil), ("SLUICE.V1.JSON", nil, nil),
    ] as [(String, String?, String?)]
  )
  func selectsItsOwnSubprotocolOrTheToken(offer: String, selected: String?, token: String?) {
    guard case .accept(_, let subprotocol) = self.decide([("Sec-WebSocket-Protocol", offer)]) else {
      Issue.record("refused")
      return
    }
    #expect(subprotocol == selected)
    #expect(WebSocketHandshake.bearerToken(in: ["Sec-WebSocket-Protocol": offer]).map(String.init) == token)
  }
}
