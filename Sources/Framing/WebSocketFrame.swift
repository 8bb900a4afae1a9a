public import NIOCore
public import Wire

/// The sending half of RFC 6455: frames written as bytes into a buffer the caller owns. A server passes no
/// mask; a client passes a fresh ``WebSocketMask/random()`` for each frame (section 5.3).
public enum WebSocketFrame {
  /// A server's ping without payload, ready to be written to any connection.
  public static let ping = ByteBuffer(bytes: [0x89, 0x00])

  /// The longest reason that fits into a close frame, in bytes of UTF-8.
  public static let longestCloseReason = 123

  /// Bytes the header takes before a payload of this length.
  public static func headerLength(payloadLength: Int, isMasked: Bool = false) -> Int {
    let length =
      switch payloadLength {
      case ...125: 2
      case ...Int(UInt16.max): 4
      default: 10
      }
    return isMasked ? length + 4 : length
  }

  /// Writes a header; exactly `payloadLength` bytes must follow it, masked with `mask` when there is one.
  public static func writeHeader(
    _ opcode: WebSocketOpcode,
    isFinal: Bool = true,
    isCompressed: Bool = false,
    payloadLength: Int,
    mask: WebSocketMask? = nil,
    into buffer: inout ByteBuffer
  ) {
    buffer.writeInteger(opcode.rawValue | (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0))
    let maskBit: UInt8 = mask == nil ? 0 : 0x80
    switch payloadLength {
    case ...125:
      buffer.writeInteger(UInt8(payloadLength) | maskBit)
    case ...Int(UInt16.max):
      buffer.writeInteger(126 | maskBit)
      buffer.writeInteger(UInt16(payloadLength))
    default:
      buffer.writeInteger(127 | maskBit)
      buffer.writeInteger(UInt64(payloadLength))
    }
    if let mask { buffer.writeInteger(mask.networkValue) }
  }

  /// Writes a whole frame.
  public static func write(
    _ opcode: WebSocketOpcode,
    isFinal: Bool = true,
    payload: ByteBuffer,
    mask: WebSocketMask? = nil,
    into buffer: inout ByteBuffer
  ) {
    let length = payload.readableBytes
    buffer.reserveCapacity(
      minimumWritableBytes: length + self.headerLength(payloadLength: length, isMasked: mask != nil)
    )
    self.writeHeader(opcode, isFinal: isFinal, payloadLength: length, mask: mask, into: &buffer)
    let start = buffer.writerIndex
    buffer.writeImmutableBuffer(payload)
    self.mask(&buffer, from: start, with: mask)
  }

  /// Writes a server's whole text frame, compressed. `room` is space to work in.
  public static func writeCompressed(
    _ payload: ByteBuffer,
    by deflater: Deflater,
    room: inout ByteBuffer,
    into buffer: inout ByteBuffer
  ) {
    room.clear()
    deflater.deflate(payload, into: &room)
    buffer.reserveCapacity(minimumWritableBytes: room.readableBytes + 10)
    self.writeHeader(.text, isCompressed: true, payloadLength: room.readableBytes, into: &buffer)
    buffer.writeImmutableBuffer(room)
  }

  /// Writes a whole text frame.
  public static func write(text: String, mask: WebSocketMask? = nil, into buffer: inout ByteBuffer) {
    self.writeHeader(.text, payloadLength: text.utf8.count, mask: mask, into: &buffer)
    let start = buffer.writerIndex
    buffer.writeString(text)
    self.mask(&buffer, from: start, with: mask)
  }

  /// Writes a close frame. Without a code it has no payload, and 1005 is what the peer sees; a reason that
  /// is too long is cut between two characters.
  public static func writeClose(
    code: CloseCode?,
    reason: String = "",
    mask: WebSocketMask? = nil,
    into buffer: inout ByteBuffer
  ) {
    guard let code else {
      self.writeHeader(.close, payloadLength: 0, mask: mask, into: &buffer)
      return
    }
    let reason = self.fitting(reason)
    self.writeHeader(.close, payloadLength: 2 + reason.utf8.count, mask: mask, into: &buffer)
    let start = buffer.writerIndex
    buffer.writeInteger(code.rawValue)
    buffer.writeSubstring(reason)
    self.mask(&buffer, from: start, with: mask)
  }

  private static func fitting(_ reason: String) -> Substring {
    guard reason.utf8.count > self.longestCloseReason else { return reason[...] }
    var end = reason.utf8.index(reason.startIndex, offsetBy: self.longestCloseReason)
    while end > reason.startIndex, end.samePosition(in: reason.unicodeScalars) == nil {
      end = reason.utf8.index(before: end)
    }
    return Substring(reason.unicodeScalars[..<end])
  }

  private static func mask(_ buffer: inout ByteBuffer, from start: Int, with mask: WebSocketMask?) {
    guard let mask else { return }
    let skipped = start - buffer.readerIndex
    buffer.withUnsafeMutableReadableBytes { bytes in
      mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: bytes[skipped...]))
    }
  }
}
