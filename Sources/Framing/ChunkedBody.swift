public import NIOCore

/// The chunked transfer coding (RFC 9112 section 7.1) as bytes.
public enum ChunkedBody {
  /// Ends a body; there are no trailers.
  public static let last = ByteBuffer(staticString: "0\r\n\r\n")

  /// Frames what is readable in `content` as one chunk. Nothing is written for nothing: an empty chunk would
  /// end the body.
  public static func write(chunkOf content: ByteBuffer, into buffer: inout ByteBuffer) {
    guard content.readableBytes > 0 else { return }
    buffer.reserveCapacity(minimumWritableBytes: content.readableBytes + self.sizeDigits + 4)
    self.write(into: &buffer) { $0.writeImmutableBuffer(content) }
  }

  /// Frames everything that `body` writes as one chunk, in place. What `body` may do is append.
  public static func write(into buffer: inout ByteBuffer, _ body: (inout ByteBuffer) -> Void) {
    let start = buffer.writerIndex
    buffer.writeStaticString("00000000\r\n")
    let contentStart = buffer.writerIndex
    body(&buffer)
    let size = buffer.writerIndex - contentStart
    guard size > 0 else {
      buffer.moveWriterIndex(to: start)
      return
    }
    precondition(size <= Int(UInt32.max))
    var digits: UInt64 = 0
    for index in 0..<self.sizeDigits {
      let nibble = UInt64(size >> (4 * (self.sizeDigits - 1 - index)) & 0xF)
      digits = digits << 8 | (nibble + (nibble < 10 ? 0x30 : 0x57))
    }
    buffer.setInteger(digits, at: start)
    buffer.writeStaticString("\r\n")
  }

  /// The size has a fixed width, with leading zeros, so that it can be filled in after the content.
  private static let sizeDigits = 8
}
