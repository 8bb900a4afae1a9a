import CZlib
public import NIOCore

/// Compresses messages one by one, each from an empty window (RFC 7692 section 7.2.1). One for an event loop: it takes a
/// quarter of a mebibyte. Confined to its loop.
public final class Deflater {
  public let windowBits: Int
  private var stream = z_stream()

  /// - Parameters:
  ///   - windowBits: the logarithm of the window, 9 to 15.
  ///   - level: 1, the fastest, to 9.
  public init(windowBits: Int = 15, level: Int32 = 1) {
    precondition((9...15).contains(windowBits))
    self.windowBits = windowBits
    let size = Int32(MemoryLayout<z_stream>.size)
    let code = deflateInit2_(
      &stream,
      level,
      Z_DEFLATED,
      -Int32(windowBits),
      8,
      Z_DEFAULT_STRATEGY,
      ZLIB_VERSION,
      size
    )
    precondition(code == Z_OK, "zlib has no memory")
  }

  deinit { deflateEnd(&stream) }

  /// Appends the compressed payload: without the four bytes that end it, which its receiver appends.
  public func deflate(_ payload: ByteBuffer, into buffer: inout ByteBuffer) {
    deflateReset(&stream)
    let bound = Int(deflateBound(&stream, UInt(payload.readableBytes))) + 16
    payload.withUnsafeReadableBytes { source in
      stream.next_in = UnsafeMutablePointer(mutating: source.bindMemory(to: UInt8.self).baseAddress)
      stream.avail_in = UInt32(source.count)
      buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { target in
        stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = UInt32(clamping: target.count)
        let code = CZlib.deflate(&stream, Z_SYNC_FLUSH)
        precondition(code == Z_OK && stream.avail_out > 0, "deflateBound bounds")
        return target.count - Int(stream.avail_out) - 4
      }
    }
    stream.next_in = nil
    stream.next_out = nil
  }
}

@available(*, unavailable) extension Deflater: Sendable {}
