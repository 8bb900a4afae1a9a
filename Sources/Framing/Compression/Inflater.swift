import CZlib
public import NIOCore
import Wire

/// Takes compressed messages apart, each from an empty window. One for an event loop; confined to it.
public final class Inflater {
  private static let tail: [UInt8] = [0x00, 0x00, 0xff, 0xff]
  private var stream = z_stream()

  public init() {
    let size = Int32(MemoryLayout<z_stream>.size)
    precondition(inflateInit2_(&stream, -15, ZLIB_VERSION, size) == Z_OK, "zlib has no memory")
  }

  deinit { inflateEnd(&stream) }

  /// The payload that was compressed.
  /// - Parameter limit: bytes that it may have; no more than a little over that is ever inflated.
  /// - Throws: when it is larger, or was not made by deflate.
  public func inflate(_ payload: ByteBuffer, limit: Int) throws(WebSocketViolation) -> ByteBuffer {
    inflateReset(&stream)
    var input = payload
    input.writeBytes(Inflater.tail)
    var output = ByteBuffer()
    let first = min(limit + 1, max(256, payload.readableBytes * 4))
    var failure: WebSocketViolation?
    input.withUnsafeReadableBytes { source in
      stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
      stream.avail_in = UInt32(source.count)
      while failure == nil {
        let room = min(max(first, output.readableBytes), limit + 1 - output.readableBytes)
        guard room > 0 else {
          failure = .tooBig(limit: limit)
          break
        }
        var code = Z_OK
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
          stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
          stream.avail_out = UInt32(room)
          code = CZlib.inflate(&stream, Z_SYNC_FLUSH)
          return room - Int(stream.avail_out)
        }
        switch code {
        case Z_STREAM_END where stream.avail_in > 0:
          // A block that says it is the last one; others may follow (section 7.2.3.4).
          if inflateReset(&stream) != Z_OK { failure = .notDeflate }
        case Z_OK where stream.avail_out == 0: continue
        case Z_OK, Z_STREAM_END, Z_BUF_ERROR:
          if stream.avail_in == 0 { return }
          failure = .notDeflate
        default: failure = .notDeflate
        }
      }
    }
    stream.next_in = nil
    stream.next_out = nil
    if let failure { throw failure }
    guard output.readableBytes <= limit else { throw .tooBig(limit: limit) }
    return output
  }
}

@available(*, unavailable) extension Inflater: Sendable {}

extension WebSocketViolation {
  static let notDeflate = WebSocketViolation(closeCode: .invalidText, reason: "not compressed by deflate")
}
