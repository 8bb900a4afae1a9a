import Admission
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import GatewayNode

/// What an address costs one node beyond its connections, against its limits.
///
/// Of each rate five may come at once, and another each second: what is to be refused is asked for in one piece.
@Suite struct AddressLimitTests {
  private static let proxied = AddressRange("127.0.0.0/8")

  /// A request as a proxy hands it on.
  private func request(
    _ target: String,
    _ method: HTTPMethod = .GET,
    for address: String,
    token: String? = nil
  ) -> String {
    let bearer = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    return "\(method.rawValue) \(target) HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: \(address)\r\n\(bearer)\r\n"
  }

  private func send(_ requests: [String], to running: RunningNode) async throws -> RawClient {
    let client = try await RawClient.connect(to: running.node.address)
    try await client.send(requests.joined())
    return client
  }

  /// The statuses that these requests of one connection are answered with.
  private func statuses(of requests: [String], by running: RunningNode) async throws -> [String] {
    let client = try await send(requests, to: running)
    var statuses: [String] = []
    try await eventually("\(requests.count) answers") {
      statuses = client.text.split(separator: "HTTP/1.1 ").map { String($0.prefix(3)) }
      return statuses.count == requests.count
    }
    try await client.close()
    return statuses
  }

  private func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = NIODeadline.now() + .seconds(20)
    while try await !condition() {
      try #require(NIODeadline.now() < deadline, what)
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private func hasRefused(_ reason: String, _ running: RunningNode) async throws -> Bool {
    let metrics = try await running.ask(.GET, "/metrics").text
    let row = "sluice_refused_total{reason=\"\(reason)\"} "
    return metrics.contains(row) && !metrics.contains("\(row)0\n")
  }

  // MARK: Logs

  @Test func anAddressReadsOnlySoMuchHistoryOnEveryTransport() async throws {
    try await RunningNode.with(settings: {
      $0.trustedProxies = [AddressLimitTests.proxied!]
      $0.readsPerAddress = 1
    }) { running in
      let path = "/v1/channels/a/messages"
      for (method, address) in [(HTTPMethod.GET, "192.0.2.1"), (.HEAD, "192.0.2.2")] {
        let eager = try await send(
          Array(repeating: request(path, method, for: address), count: 30),
          to: running
        )
        let text = try await eager.received("HTTP/1.1 200 ", "HTTP/1.1 429 ", "Retry-After: ")
        #expect(text.hasPrefix("HTTP/1.1 200 "))
        try await eager.close()
      }
      let socket = try await RawClient.socket(to: running.node.address)
      try await socket.say((1...30).map { #"{"type":"history","id":\#($0),"channel":"a"}"# })
      try await socket.received(#""type":"history","id":1,"#, #""code":"rate_limited""#, "retry_after_ms")
      #expect(!socket.hasEnded)
      try await socket.close()
      #expect(try await statuses(of: [request(path, for: "192.0.2.3")], by: running) == ["200"])
      #expect(try await hasRefused("address_reads", running))
    }
  }

  /// Nothing where memory has it, else a read for each channel; where that was too much, a while has to pass.
  @Test func aPollCostsItsAddressWhatIsReadForIt() async throws {
    try await RunningNode.with(settings: {
      $0.eventLoops = 1
      $0.trustedProxies = [AddressLimitTests.proxied!]
      $0.readsPerAddress = 1
      $0.ringBytes = 0
    }) { running in
      var cursor = ""
      for number in 1...3 {
        let published = try await running.askAsClient(.POST, "/v1/channels/a/messages", "\(number)")
        cursor = try #require(try published.json["cursor"]?.string)
      }
      // It is followed from here on.
      #expect(try await running.askAsClient(.GET, "/v1/poll?wait=0&channels=a").status == .ok)
      let path = "/v1/poll?channels=a&since="
      for (method, query, address) in [
        (HTTPMethod.GET, "start&wait=0", "192.0.2.1"), (.HEAD, "start", "192.0.2.2"),
        (.GET, "start&wait=20", "192.0.2.3"),
      ] {
        let eager = try await send(
          Array(repeating: request(path + query, method, for: address), count: 30),
          to: running
        )
        let text = try await eager.received("HTTP/1.1 200 ", "HTTP/1.1 429 ", "Retry-After: ")
        #expect(text.hasPrefix("HTTP/1.1 200 "))
        try await eager.close()
      }
      let idle = request("\(path)a@\(cursor)&wait=0", for: "192.0.2.4")
      let answers = try await statuses(of: Array(repeating: idle, count: 30), by: running)
      #expect(answers.allSatisfy { $0 == "200" }, "\(answers)")
      let again = request("\(path)a@\(cursor)&wait=0", for: "192.0.2.1")
      try await eventually("an end of the debt") {
        try await statuses(of: [again], by: running) == ["200"]
      }
      #expect(try await hasRefused("address_reads", running))
    }
  }

  // MARK: Tokens

  private static func key(_ secret: String = "a secret of more than 32 bytes, surely") throws -> TokenKey {
    try #require(TokenKey.read(Array(secret.utf8)).first)
  }

  private func token(_ user: String, lasting seconds: Int64 = 600, by key: TokenKey) async throws -> String {
    var wish = TokenMaker.Wish()
    wish.user = user
    wish.expires = WallClock.milliseconds() / 1_000 + seconds
    return try await TokenMaker(key).token(wish)
  }

  /// Beyond them only those are looked at that were good lately.
  @Test func anAddressShowsOnlySoManyTokensThatNoKeyVerifies() async throws {
    let (key, forger) = try (Self.key(), Self.key("another secret of more than 32 bytes!!"))
    let known = try await token("ada", by: key)
    let new = try await token("bob", by: key)
    let forged = try await token("ada", by: forger)
    try await RunningNode.with(settings: {
      $0.trustedProxies = [AddressLimitTests.proxied!]
      $0.tokenKeys = [key]
      $0.unverifiedTokensPerAddress = 1
    }) { running in
      let path = "/v1/channels/a/messages"
      let ask = { (token: String, address: String) in request(path, for: address, token: token) }
      let before = [ask(known, "192.0.2.1")] + Array(repeating: ask(forged, "192.0.2.1"), count: 30)
      let answers = try await statuses(
        of: before + [ask(known, "192.0.2.1"), ask(new, "192.0.2.1"), ask(new, "192.0.2.2")],
        by: running
      )
      #expect(answers.prefix(6) == ["200", "401", "401", "401", "401", "401"])
      #expect(Set(answers.dropFirst(6).prefix(25)).isSubset(of: ["401", "429"]))
      #expect(answers.suffix(4) == ["429", "200", "429", "200"], "\(answers)")
      #expect(try await hasRefused("tokens", running))
      let other = try await token("eve", by: key)
      try await eventually("room again") {
        try await statuses(of: [ask(other, "192.0.2.1")], by: running) == ["200"]
      }
    }
  }

  /// A token that has run out is refused, and costs no signature more than once.
  @Test func aTokenThatHasRunOutIsNoForgery() async throws {
    let key = try Self.key()
    let late = try await token("ada", lasting: -600, by: key)
    try await RunningNode.with(settings: {
      $0.trustedProxies = [AddressLimitTests.proxied!]
      $0.tokenKeys = [key]
      $0.unverifiedTokensPerAddress = 1
    }) { running in
      let ask = request("/v1/channels/a/messages", for: "192.0.2.1", token: late)
      let answers = try await statuses(of: Array(repeating: ask, count: 30), by: running)
      #expect(answers.allSatisfy { $0 == "401" }, "\(answers)")
    }
  }

  /// A browser takes any other status than `200` for final, and a WebSocket is not to blame for its neighbours.
  @Test func whoIsNotLookedAtMayComeAgain() async throws {
    let (key, forger) = try (Self.key(), Self.key("another secret of more than 32 bytes!!"))
    let known = try await token("ada", by: key)
    let new = try await token("bob", by: key)
    let forged = try await token("ada", by: forger)
    try await RunningNode.with(settings: {
      $0.tokenKeys = [key]
      $0.unverifiedTokensPerAddress = 1
    }) { running in
      let socket = try await RawClient.socket(to: running.node.address, token: known)
      let bad = (1...30).map { #"{"type":"token","id":\#($0),"token":"\#(forged)"}"# }
      try await socket.say(bad + [#"{"type":"token","id":31,"token":"\#(known)"}"#])
      try await socket.received(
        #""type":"error","id":1,"code":"unauthorized""#,
        #""type":"error","id":30,"code":"rate_limited""#,
        #""type":"refreshed","id":31"#
      )
      #expect(!socket.hasEnded)
      let stream = try await RawClient.connect(to: running.node.address)
      let bearer = "Authorization: Bearer \(forged)\r\n"
      let poll = "GET /v1/poll?channels=a&wait=0 HTTP/1.1\r\nHost: a\r\n\(bearer)\r\n"
      let wish = "GET /v1/stream?channels=a&token=\(new) HTTP/1.1\r\nHost: a\r\n\r\n"
      try await stream.send(String(repeating: poll, count: 30) + wish)
      try await stream.received("HTTP/1.1 429 ", "HTTP/1.1 200 ", "text/event-stream", "retry: ", "0\r\n\r\n")
      #expect(!stream.text.contains("welcome"))
      for client in [socket, stream] { try await client.close() }
    }
  }
}
