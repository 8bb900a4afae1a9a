import Framing
import NIOCore
import Wire

/// The client's end of a WebSocket over a ``RawClient``, for tests.
struct WebSocketClient {
  static let request =
    "GET /any HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

  let raw: RawClient

  static func connect(
    to address: SocketAddress,
    with early: ByteBuffer = ByteBuffer()
  ) async throws -> WebSocketClient {
    let client = WebSocketClient(raw: try await RawClient.connect(to: address))
    var bytes = ByteBuffer(string: self.request)
    bytes.writeImmutableBuffer(early)
    try await client.raw.send(bytes)
    return client
  }

  static func frame(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) -> ByteBuffer {
    var bytes = ByteBuffer()
    WebSocketFrame.write(opcode, payload: payload, mask: .random(), into: &bytes)
    return bytes
  }

  static func close(_ code: CloseCode?, _ reason: String = "") -> ByteBuffer {
    var bytes = ByteBuffer()
    WebSocketFrame.writeClose(code: code, reason: reason, mask: .random(), into: &bytes)
    return bytes
  }

  /// What the server's bytes say after the answer to the handshake; nil without a `101`.
  static func events(in received: ByteBuffer) -> [WebSocketDecoder.Event]? {
    let bytes = Array(received.readableBytesView)
    let end = Array("\r\n\r\n".utf8)
    guard bytes.starts(with: "HTTP/1.1 101 ".utf8),
      let headEnd = (0..<max(0, bytes.count - 3)).first(where: { Array(bytes[$0..<$0 + 4]) == end })
    else { return nil }
    var decoder = WebSocketDecoder(role: .client, maximumMessageSize: 64 << 20)
    decoder.append(ByteBuffer(bytes: bytes[(headEnd + 4)...]))
    var events: [WebSocketDecoder.Event] = []
    while let event = try? decoder.next() { events.append(event) }
    return events
  }

  func events(count: Int) async throws -> [WebSocketDecoder.Event] {
    let received = try await self.raw.received { bytes, hasEnded in
      hasEnded || (Self.events(in: bytes)?.count ?? 0) >= count
    }
    return Self.events(in: received) ?? []
  }

  /// Everything until the server has closed its half.
  func eventsToTheEnd() async throws -> [WebSocketDecoder.Event] {
    Self.events(in: try await self.raw.receivedToTheEnd()) ?? []
  }
}

extension WebSocketDecoder.Event {
  static func text(_ text: String) -> WebSocketDecoder.Event { .message(.text, ByteBuffer(string: text)) }
}
