import NIOCore

/// The ways in which the same bytes may arrive.
enum Pieces {
  /// All at once, byte by byte, and cut at places that depend on nothing but the bytes.
  static func ways(_ bytes: [UInt8]) -> [[ByteBuffer]] {
    [
      [ByteBuffer(bytes: bytes)],
      bytes.map { ByteBuffer(bytes: [$0]) },
      scattered(bytes),
    ]
  }

  private static func scattered(_ bytes: [UInt8]) -> [ByteBuffer] {
    var random = SplitMix(state: bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
    var pieces: [ByteBuffer] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 1...24, using: &random))
      pieces.append(ByteBuffer(bytes: bytes[start..<end]))
      start = end
    }
    return pieces
  }
}

/// Chance that comes out the same for the same seed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
