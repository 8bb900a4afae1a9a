/// The frame types of RFC 6455 section 5.2; every other value is reserved and refused.
public enum WebSocketOpcode: UInt8, Sendable {
  case continuation = 0x0
  case text = 0x1
  case binary = 0x2
  case close = 0x8
  case ping = 0x9
  case pong = 0xA

  /// Whether the frame steers the connection; such frames are short and never fragmented (section 5.5).
  public var isControl: Bool { self.rawValue & 0x8 != 0 }
}
