import NIOCore

/// Receive buffers that are let go after each read, so that a connection that is silent holds none.
///
/// A channel keeps its first buffer for good, so that one is tiny: it costs a connection one more read. Every later
/// one is told to be too small for the next read, and the channel then takes a new one.
struct PassingReceiveAllocator: RecvByteBufferAllocator {
  private static let firstCapacity = 16

  private let capacity: Int
  private var isFirst = true

  init(capacity: Int) {
    self.capacity = capacity
  }

  mutating func record(actualReadBytes: Int) -> Bool {
    self.isFirst = false
    return true
  }

  func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
    allocator.buffer(capacity: self.isFirst ? Self.firstCapacity : self.capacity)
  }

  func nextBufferSize() -> Int? { nil }
}
