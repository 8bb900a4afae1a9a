import NIOCore

/// A frame header (RFC 6455 section 5.2), read and checked as far as it can be without its context.
struct WebSocketHeader {
  let opcode: WebSocketOpcode
  let isFinal: Bool
  /// The first reserved bit, which permessage-deflate uses.
  let isCompressed: Bool
  let payloadLength: Int
  /// nil on frames of a server.
  let mask: WebSocketMask?
  /// Bytes the header itself takes.
  let size: Int

  static let longest = 14

  /// Looks at the start of `input` without consuming it; nil while the header is incomplete. What its first
  /// two bytes already prove wrong is refused before the rest arrives.
  static func peek(
    at input: ByteBuffer,
    from role: WebSocketDecoder.Role,
    compressed: Bool = false
  ) throws(WebSocketViolation) -> WebSocketHeader? {
    let start = input.readerIndex
    guard let first: UInt8 = input.getInteger(at: start) else { return nil }
    guard first & (compressed ? 0x30 : 0x70) == 0 else { throw .malformed("reserved bit set") }
    guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw .malformed("reserved opcode") }
    let isFinal = first & 0x80 != 0
    let isCompressed = first & 0x40 != 0
    // RFC 7692 section 6.1: only the first frame of a message has it.
    if isCompressed, opcode.isControl || opcode == .continuation { throw .malformed("reserved bit set") }
    if opcode.isControl, !isFinal { throw .malformed("fragmented control frame") }

    guard let second: UInt8 = input.getInteger(at: start + 1) else { return nil }
    let isMasked = second & 0x80 != 0
    switch role {
    case .server: if !isMasked { throw .malformed("frame of a client without a mask") }
    case .client: if isMasked { throw .malformed("frame of a server with a mask") }
    }
    let shortLength = Int(second & 0x7F)
    if opcode.isControl, shortLength > 125 { throw .malformed("control frame over 125 bytes") }

    var size = 2
    let payloadLength: Int
    switch shortLength {
    case 126:
      guard let length: UInt16 = input.getInteger(at: start + 2) else { return nil }
      guard length > 125 else { throw .malformed("length not in its shortest form") }
      payloadLength = Int(length)
      size += 2
    case 127:
      guard let length: UInt64 = input.getInteger(at: start + 2) else { return nil }
      guard length > UInt64(UInt16.max) else { throw .malformed("length not in its shortest form") }
      guard let representable = Int(exactly: length) else { throw .malformed("length over 63 bits") }
      payloadLength = representable
      size += 8
    default:
      payloadLength = shortLength
    }

    var mask: WebSocketMask?
    if isMasked {
      // A length over the limit is refused before its mask has arrived, so the caller gets the header without.
      mask = input.getInteger(at: start + size, as: UInt32.self).map(WebSocketMask.init)
      size += 4
    }
    return WebSocketHeader(
      opcode: opcode,
      isFinal: isFinal,
      isCompressed: isCompressed,
      payloadLength: payloadLength,
      mask: mask,
      size: size
    )
  }
}
