/// Validates UTF-8 (RFC 3629) as it arrives, in pieces of any size.
///
/// It refuses the first byte that no valid text could hold at its place: overlong forms, surrogates and
/// everything above U+10FFFF are refused at the byte that makes them so, not at the end of the character.
public struct UTF8Validator: Sendable {
  /// Continuation bytes the character begun still needs.
  private var missing: UInt8 = 0
  /// What the next continuation byte may be; narrower than 80...BF after E0, ED, F0 and F4.
  private var lowest: UInt8 = 0x80
  private var highest: UInt8 = 0xBF

  public init() {}

  /// Whether the bytes seen so far end between two characters.
  public var isAtBoundary: Bool { self.missing == 0 }

  /// Takes the next bytes; false at the first impossible one, after which the validator must not be used again.
  public mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var index = 0
    let count = bytes.count
    while index < count {
      if self.missing == 0 {
        index = Self.endOfASCII(in: bytes, from: index)
        if index == count { return true }
        guard self.begin(bytes[index]) else { return false }
      } else {
        let byte = bytes[index]
        guard byte >= self.lowest, byte <= self.highest else { return false }
        self.missing &-= 1
        self.lowest = 0x80
        self.highest = 0xBF
      }
      index &+= 1
    }
    return true
  }

  /// Takes a lead byte that is not ASCII (RFC 3629 section 4).
  private mutating func begin(_ byte: UInt8) -> Bool {
    switch byte {
    case 0xC2...0xDF:
      self.missing = 1
    case 0xE0...0xEF:
      self.missing = 2
      if byte == 0xE0 { self.lowest = 0xA0 }
      if byte == 0xED { self.highest = 0x9F }
    case 0xF0...0xF4:
      self.missing = 3
      if byte == 0xF0 { self.lowest = 0x90 }
      if byte == 0xF4 { self.highest = 0x8F }
    default:
      return false
    }
    return true
  }

  private static func endOfASCII(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
    var index = start
    while index &+ 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      if word & 0x8080_8080_8080_8080 != 0 { break }
      index &+= 8
    }
    while index < bytes.count, bytes[index] < 0x80 { index &+= 1 }
    return index
  }
}
