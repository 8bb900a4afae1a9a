import Framing
import NIOCore
import Wire

/// What it takes to compress a message once, and to inflate one, by the clock: the table of the article on the interface.
enum Compressing {
  private static let sizes = [128, 512, 1 << 10, 16 << 10, 64 << 10]
  /// Of so many runs of each the fastest counts: others were disturbed.
  private static let runs = 15

  static func measure() throws {
    print("| message | compressed | time | to inflate one that a client sent | with a window of 512 bytes |")
    print("|---|---|---|---|---|")
    let (large, small) = (Deflater(), Deflater(windowBits: 9))
    let inflater = Inflater()
    for size in sizes {
      let message = message(of: size)
      var compressed = ByteBuffer()
      large.deflate(message, into: &compressed)
      guard try inflater.inflate(compressed, limit: size) == message else {
        throw Miscount(description: "\(size) bytes were not the same after they were compressed")
      }
      var buffer = ByteBuffer()
      let deflating = least(size) {
        buffer.clear()
        large.deflate(message, into: &buffer)
      }
      let narrow = least(size) {
        buffer.clear()
        small.deflate(message, into: &buffer)
      }
      let inflating = try least(size) { _ = try inflater.inflate(compressed, limit: size) }
      let part = compressed.readableBytes * 100 / size
      print(
        "| \(size) B | \(compressed.readableBytes) B (\(part) %) | \(text(deflating)) | \(text(inflating)) "
          + "| \(text(narrow)) |"
      )
    }
  }

  /// Nanoseconds that one takes.
  private static func least(_ size: Int, _ body: () throws -> Void) rethrows -> Double {
    let number = max(20, (4 << 20) / size / 8)
    var least = Double.infinity
    for _ in 0..<runs {
      let start = NIODeadline.now()
      for _ in 0..<number { try body() }
      least = min(least, Double((NIODeadline.now() - start).nanoseconds) / Double(number))
    }
    return least
  }

  private static func text(_ nanoseconds: Double) -> String {
    let tenths = Int((nanoseconds / 100).rounded())
    return tenths < 100 ? "\(tenths / 10).\(tenths % 10) µs" : "\((tenths + 5) / 10) µs"
  }

  /// An array of objects as programs write them, cut to a size; the same each time.
  private static func message(of size: Int) -> ByteBuffer {
    var chance: UInt64 = 0x9e37_79b9_7f4a_7c15
    func next(_ most: UInt64) -> UInt64 {
      chance = chance &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (chance >> 33) % most
    }
    let symbols = ["ACME", "GLOBEX", "INITECH", "UMBRELLA", "HOOLI", "STARK", "WAYNE", "WONKA"]
    var message = ByteBuffer(string: "[")
    while message.readableBytes < size {
      let symbol = symbols[Int(next(8))]
      message.writeString(
        #"{"symbol":"\#(symbol)","price":\#(next(100_000)).\#(10 + next(90)),"volume":\#(next(1_000_000)),"#
          + #""side":"\#(next(2) == 0 ? "buy" : "sell")","time":\#(1_790_000_000_000 + next(1_000_000_000))},"#
      )
    }
    return message.getSlice(at: 0, length: size) ?? message
  }
}
