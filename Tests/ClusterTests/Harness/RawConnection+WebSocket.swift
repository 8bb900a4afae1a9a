/// A WebSocket by hand.
extension RawConnection {
  static let socketHandshake =
    "GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

  /// A frame of a text of up to 125 bytes; its mask is zero, which is as good as another.
  static func maskedText(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    precondition(bytes.count < 126)
    return [0x81, 0x80 | UInt8(bytes.count), 0, 0, 0, 0] + bytes
  }
}
