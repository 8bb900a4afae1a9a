/// The masking key of a client's frame (RFC 6455 section 5.3), applied eight bytes at a time.
public struct WebSocketMask: Sendable, Hashable {
  /// The four key bytes as they lie in memory, so that it can be XORed with loaded words as it is.
  private let key: UInt32

  /// - Parameter key: the key in network order, its first byte being the most significant.
  public init(_ key: UInt32) {
    self.key = key.bigEndian
  }

  /// The key in network order.
  public var networkValue: UInt32 { UInt32(bigEndian: self.key) }

  /// A key nobody can predict, as a client needs for each frame.
  public static func random() -> WebSocketMask {
    WebSocketMask(UInt32.random(in: .min ... .max))
  }

  /// XORs the bytes in place.
  /// - Parameter offset: how many bytes of the same frame's payload came before them.
  public func apply(to bytes: UnsafeMutableRawBufferPointer, offset: Int = 0) {
    self.copy(from: UnsafeRawBufferPointer(bytes), to: bytes, offset: offset)
  }

  /// XORs `source` into `target`, which is at least as long and either the same memory or disjoint.
  public func copy(
    from source: UnsafeRawBufferPointer,
    to target: UnsafeMutableRawBufferPointer,
    offset: Int = 0
  ) {
    precondition(target.count >= source.count)
    guard let from = source.baseAddress, let to = target.baseAddress else { return }
    let word = self.word(at: offset)
    let count = source.count
    var index = 0
    while index &+ 8 <= count {
      let plain = from.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ word
      to.storeBytes(of: plain, toByteOffset: index, as: UInt64.self)
      index &+= 8
    }
    var rest = UInt64(littleEndian: word)
    while index < count {
      let plain = from.load(fromByteOffset: index, as: UInt8.self) ^ UInt8(truncatingIfNeeded: rest)
      to.storeBytes(of: plain, toByteOffset: index, as: UInt8.self)
      rest >>= 8
      index &+= 1
    }
  }

  /// The key twice, turned so that its first byte in memory is the one for payload byte `offset`.
  private func word(at offset: Int) -> UInt64 {
    let key = UInt32(littleEndian: self.key)
    let turn = UInt32(truncatingIfNeeded: (offset & 3) &* 8)
    let turned = turn == 0 ? key : (key >> turn) | (key << (32 &- turn))
    return (UInt64(turned) | UInt64(turned) << 32).littleEndian
  }
}
