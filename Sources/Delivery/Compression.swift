import Framing
import NIOCore

/// What one loop compresses with: a deflater for each window that somebody has, made when it is needed.
struct Compression {
  /// From how many bytes on a message is compressed.
  var above = 1_024
  private var deflaters: [Int: Deflater] = [:]
  private var room = ByteBuffer()

  /// Writes a text frame, compressed.
  mutating func write(_ payload: ByteBuffer, _ windowBits: Int, into buffer: inout ByteBuffer) {
    let deflater = deflaters[windowBits] ?? Deflater(windowBits: windowBits)
    deflaters[windowBits] = deflater
    WebSocketFrame.writeCompressed(payload, by: deflater, room: &room, into: &buffer)
  }
}

/// The frames of a segment, compressed for one size of window.
struct CompressedFrames {
  let windowBits: Int
  var frames = ByteBuffer()
  /// Where each message's frame ends.
  var ends: [Int] = []
}
