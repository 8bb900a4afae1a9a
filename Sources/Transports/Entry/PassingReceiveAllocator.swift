import NIOCore

/// A small receive buffer that a channel keeps, for what clients mostly say: a handshake, a command. What may be
/// longer than it is read into buffers that are let go after each read, so that a connection that is silent holds
/// no more than the small one.
///
/// A channel keeps its first buffer for good; it is used again as long as nobody has kept a part of what was read.
struct PassingReceiveAllocator: RecvByteBufferAllocator {
  private static let keptCapacity = 512

  private let capacity: Int
  private var isFirst = true
  /// The last read may have left something.
  private var wasFull = false

  init(capacity: Int) {
    self.capacity = capacity
  }

  /// - Returns: true, which says that the kept buffer is too small for what `nextBufferSize` has no size for.
  mutating func record(actualReadBytes: Int) -> Bool {
    self.isFirst = false
    self.wasFull = actualReadBytes >= Self.keptCapacity
    return true
  }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
    allocator.buffer(capacity: self.isFirst ? Self.keptCapacity : self.capacity)
  }

  func nextBufferSize() -> Int? { self.wasFull ? nil : Self.keptCapacity }
}
