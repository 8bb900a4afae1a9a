public import NIOCore

/// Tells one payload from another without keeping it. Made for speed, not against an adversary.
public struct PayloadIdentity: Hashable, Sendable {
  public let value: UInt64

  public init(value: UInt64) {
    self.value = value
  }

  public init(_ bytes: UnsafeRawBufferPointer) {
    var state = UInt64(bytes.count) &* 0x9e37_79b9_7f4a_7c15
    var offset = 0
    while offset + 8 <= bytes.count {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      state = PayloadIdentity.fold(state ^ word)
      offset += 8
    }
    var rest: UInt64 = 0
    while offset < bytes.count {
      rest = rest << 8 | UInt64(bytes[offset])
      offset += 1
    }
    value = PayloadIdentity.fold(PayloadIdentity.fold(state ^ rest) ^ 0x2545_f491_4f6c_dd1d)
  }

  /// Both halves of a product, which every bit of the factor reaches.
  private static func fold(_ word: UInt64) -> UInt64 {
    let product = word.multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
    return product.high ^ product.low ^ word.byteSwapped
  }

  public init(_ data: ByteBuffer) {
    self = data.withUnsafeReadableBytes { PayloadIdentity($0) }
  }
}
