import NIOCore
import Wire

@testable import Framing

extension FuzzTarget {
  /// What deflate is said to have made. The first byte is the limit of what may come of it, in units of 16 bytes.
  static let compressedMessages = FuzzTarget("compressed-messages", longest: 800) { input in
    let limit = Int(input.first ?? 0) * 16
    let payload = ByteBuffer(bytes: input.dropFirst())
    let result = Inflated(payload, limit: limit, by: Inflater())

    // One for a whole event loop: nothing of a message, good or bad, is left for the next one.
    let shared = Inflater()
    for _ in 0..<2 {
      try demandSame(
        Inflated(payload, limit: limit, by: shared),
        result,
        "inflated again, it is something else"
      )
    }
    let hello = ByteBuffer(bytes: [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00])
    try demandSame(
      Inflated(hello, limit: 5, by: shared),
      .message(ByteBuffer(string: "Hello")),
      "the message after it"
    )

    switch result {
    case .message(let message):
      try demand(message.readableBytes <= limit, "a message over the limit")
      try demandSame(
        Inflated(payload, limit: limit + 100, by: shared),
        result,
        "with more room, it is something else"
      )
      for windowBits in [9, 12, 15] {
        var compressed = ByteBuffer()
        Deflater(windowBits: windowBits).deflate(message, into: &compressed)
        try demandSame(
          Inflated(compressed, limit: limit, by: shared),
          result,
          "compressed with \(windowBits) bits"
        )
      }
    case .refused(let code):
      try demand([1007, 1009].contains(code), "refused with \(code)")
    }
  }
}

private enum Inflated: Equatable {
  case message(ByteBuffer)
  case refused(UInt16)

  init(_ payload: ByteBuffer, limit: Int, by inflater: Inflater) {
    do throws(WebSocketViolation) {
      self = .message(try inflater.inflate(payload, limit: limit))
    } catch {
      self = .refused(error.closeCode.rawValue)
    }
  }
}
