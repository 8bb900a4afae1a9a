public import NIOCore

/// Tells one payload from another without keeping it. Comparable within one process only.
public struct PayloadIdentity: Hashable, Sendable {
  public let value: UInt64

  public init(value: UInt64) {
    self.value = value
  }

  public init(_ bytes: UnsafeRawBufferPointer) {
    var hasher = Hasher()
    hasher.combine(bytes: bytes)
    value = UInt64(bitPattern: Int64(hasher.finalize()))
  }

  public init(_ data: ByteBuffer) {
    self = data.withUnsafeReadableBytes { PayloadIdentity($0) }
  }
}
