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
}
