import CZlib
public import NIOCore
import Wire

/// Takes compressed messages apart, each from an empty window. One for an event loop; confined to it.
public final class Inflater {
  private static let tail: [UInt8] = [0x00, 0x00, 0xff, 0xff]
  /// What zlib says where a block has ended with the last bit of the input, and nowhere else.
  private static let betweenBlocks: Int32 = 128
  /// How many blocks of one message may say that they are the last. Senders make one, or one for each of their own
  /// writes; an empty one is two bytes that make nothing, and beginning anew after each of them costs.
  private static let mostEnds = 64
  private var stream = z_stream()
  /// How many such blocks the message had so far.
  private var ends = 0

  public init() {
    let size = Int32(MemoryLayout<z_stream>.size)
    precondition(inflateInit2_(&stream, -15, ZLIB_VERSION, size) == Z_OK, "zlib has no memory")
  }

  deinit { inflateEnd(&stream) }

  /// The payload that was compressed.
  /// - Parameter limit: bytes that it may have; no more than a little over that is ever inflated.
  /// - Throws: when it is larger, or was not made by deflate, or not all of it is there, or it ends too often.
  public func inflate(_ payload: ByteBuffer, limit: Int) throws(WebSocketViolation) -> ByteBuffer {
    inflateReset(&stream)
    ends = 0
    defer {
      stream.next_in = nil
      stream.next_out = nil
    }
    var output = ByteBuffer()
    let first = min(limit + 1, max(256, payload.readableBytes * 4))
    let end = try payload.withUnsafeReadableBytes { take($0, into: &output, first: first, limit: limit) }
      .get()
    if end != .ofStream {
      // It makes an empty block of what the message ends with; inside any other block that was cut off.
      let count = output.readableBytes
      let end = try Inflater.tail.withUnsafeBytes { take($0, into: &output, first: 1, limit: limit) }.get()
      guard end != .insideBlock, output.readableBytes == count else { throw .notDeflate }
    }
    guard output.readableBytes <= limit else { throw .tooBig(limit: limit) }
    return output
  }

  /// Where the compressed bytes have ended.
  private enum End {
    /// Behind a block that says it is the last one.
    case ofStream
    case betweenBlocks
    case insideBlock
  }

  /// Inflates all of the source.
  /// - Parameter first: bytes of room that an empty output is given.
  private func take(
    _ source: UnsafeRawBufferPointer,
    into output: inout ByteBuffer,
    first: Int,
    limit: Int
  ) -> Result<End, WebSocketViolation> {
    stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
    stream.avail_in = UInt32(source.count)
    while true {
      let more = output.writableBytes > 0 ? output.writableBytes : max(first, output.readableBytes)
      let room = min(more, limit + 1 - output.readableBytes)
      guard room > 0 else { return .failure(.tooBig(limit: limit)) }
      var code = Z_OK
      output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
        stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = UInt32(room)
        code = CZlib.inflate(&stream, Z_SYNC_FLUSH)
        return room - Int(stream.avail_out)
      }
      switch code {
      case Z_STREAM_END where stream.avail_in == 0: return .success(.ofStream)
      case Z_STREAM_END:
        // Others may follow (section 7.2.3.4).
        ends += 1
        guard ends < Inflater.mostEnds, inflateReset(&stream) == Z_OK else { return .failure(.notDeflate) }
      case Z_OK where stream.avail_out == 0: continue
      case Z_OK, Z_BUF_ERROR:
        guard stream.avail_in == 0 else { return .failure(.notDeflate) }
        return .success(stream.data_type == Inflater.betweenBlocks ? .betweenBlocks : .insideBlock)
      default: return .failure(.notDeflate)
      }
    }
  }
}

@available(*, unavailable) extension Inflater: Sendable {}

extension WebSocketViolation {
  static let notDeflate = WebSocketViolation(closeCode: .invalidText, reason: "not compressed by deflate")
}
