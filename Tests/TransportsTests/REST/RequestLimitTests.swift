import Admission
import NIOCore
import Telemetry
import Testing

@testable import Transports

/// What one address may ask a second, in whatever way it comes.
struct RequestLimitTests {
  private static let handshake =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

  @Test(arguments: [
    ("GET /v1/poll?channels=room:a&wait=0", "", "200", "429"),
    ("GET /v1/channels/room:a/messages", "", "200", "429"),
    ("GET /v1/socket", handshake, "101", "429"),
    // It comes directly: a browser takes any other status for final.
    ("GET /v1/stream?channels=room:a", "", "200", "200"),
  ])
  func everyTransportCounts(_ request: String, _ headers: String, _ first: String, _ then: String) throws {
    let stage = try EmbeddedWorker {
      $0.requests = AddressRates(TokenBucket.Rate(perSecond: 1, burst: 2))
    }
    func answer() throws -> String {
      let client = try stage.client(request, headers: headers)
      stage.advance(.zero)
      return try client.takeOutput()
    }
    for _ in 0..<2 {
      let answer = try answer()
      #expect(answer.hasPrefix("HTTP/1.1 \(first) ") && !answer.contains("rate_limited"), "\(answer)")
    }
    #expect(stage.metrics.over.requests.value == 0)
    let refused = try answer()
    #expect(refused.hasPrefix("HTTP/1.1 \(then) ") && refused.contains("rate_limited"), "\(refused)")
    #expect(stage.metrics.over.requests.value == 1)
  }

  /// A proxy's connection is everybody's.
  @Test(arguments: [true, false])
  func aConnectionPublishesOnlySoMuch(_ isDirect: Bool) throws {
    let stage = try EmbeddedWorker {
      $0.publishing = SendingLimits(messages: 2, bytes: 1_000, subscribes: 0)
      $0.isTrustedProxy = { _ in !isDirect }
    }
    func publish(_ count: Int, _ body: String, by client: EmbeddedEntry) throws -> [String] {
      let request =
        "POST /v1/channels/room:a/messages HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
      for _ in 0..<count {
        try client.send(request)
        stage.advance(.zero)
      }
      return try client.takeStatuses()
    }
    let client = try stage.client("GET /healthz")
    _ = try client.takeOutput()
    // Five seconds' worth may come at once.
    #expect(try publish(10, "1", by: client) == Array(repeating: "201", count: 10))
    #expect(try publish(2, "1", by: client) == Array(repeating: isDirect ? "429" : "201", count: 2))
    #expect(stage.metrics.over.messages.value == (isDirect ? 2 : 0))
    stage.advance(.seconds(10))
    let long = "\"\(String(repeating: "x", count: 2_400))\""
    #expect(try publish(3, long, by: client) == ["201", "201", isDirect ? "429" : "201"])
    #expect(stage.metrics.over.bytes.value == (isDirect ? 1 : 0))
    // Another connection has its own.
    let other = try stage.client("GET /healthz")
    _ = try other.takeOutput()
    #expect(try publish(1, "1", by: other) == ["201"])
  }
}
