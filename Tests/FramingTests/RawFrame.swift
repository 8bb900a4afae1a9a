import NIOCore

/// A frame written byte by byte, right or wrong, independently of the code under test.
struct RawFrame {
  var isFinal = true
  var reserved: UInt8 = 0
  var opcode: UInt8
  var payload: [UInt8] = []
  /// nil: a server's frame.
  var mask: [UInt8]? = [0x37, 0xFA, 0x21, 0x3D]
  /// Which of the three forms of the length to use; nil: the shortest.
  var lengthBytes: Int?
  /// What the header claims; nil: the truth.
  var declaredLength: UInt64?

  var bytes: [UInt8] {
    let length = self.declaredLength ?? UInt64(self.payload.count)
    let lengthBytes = self.lengthBytes ?? (length < 126 ? 1 : length < 65536 ? 2 : 8)
    let maskBit: UInt8 = self.mask == nil ? 0 : 0x80
    var bytes: [UInt8] = [(self.isFinal ? 0x80 : 0) | self.reserved << 4 | self.opcode]
    switch lengthBytes {
    case 1: bytes.append(maskBit | UInt8(length))
    case 2: bytes.append(maskBit | 126)
    default: bytes.append(maskBit | 127)
    }
    if lengthBytes > 1 {
      bytes += (0..<lengthBytes).map { UInt8(truncatingIfNeeded: length >> (8 * (lengthBytes - 1 - $0))) }
    }
    bytes += self.mask ?? []
    bytes += self.payload.enumerated().map { index, byte in byte ^ (self.mask?[index % 4] ?? 0) }
    return bytes
  }
}

extension RawFrame {
  static func text(_ text: String, isFinal: Bool = true) -> RawFrame {
    RawFrame(isFinal: isFinal, opcode: 1, payload: Array(text.utf8))
  }

  static func close(_ payload: [UInt8]) -> RawFrame {
    RawFrame(opcode: 8, payload: payload)
  }
}

/// Numbers that can be had again from the seed a failing test prints (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { self.state = seed }

  mutating func next() -> UInt64 {
    self.state &+= 0x9E37_79B9_7F4A_7C15
    var word = self.state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
