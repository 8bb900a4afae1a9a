import CRedisShim
import NIOCore

/// Reads replies from the bytes of a connection, by hiredis. The one owner of the C reader.
@safe
struct RedisReplyReader: ~Copyable {
  private let reader: OpaquePointer
  private let collector = RedisTokenCollector()

  init(limits: RedisReplyLimits = RedisReplyLimits()) {
    let limits = sluice_redis_limits(
      elements: limits.elements,
      bulk: limits.bulkBytes,
      line: limits.lineBytes,
      reply: limits.replyBytes,
      depth: Int32(limits.depth)
    )
    guard let reader = unsafe sluice_redis_reader_create(limits) else { fatalError("out of memory") }
    unsafe self.reader = reader
  }

  deinit {
    unsafe sluice_redis_reader_free(reader)
  }

  /// Reads on. Replies that are whole can be taken afterwards, also when this throws; after that the reader is
  /// of no further use.
  mutating func feed(_ bytes: ByteBuffer) throws(RedisError) {
    collector.bytes.reserveCapacity(minimumWritableBytes: bytes.readableBytes)
    let result = unsafe bytes.withUnsafeReadableBytes { raw in
      unsafe sluice_redis_reader_feed(
        reader,
        raw.baseAddress?.assumingMemoryBound(to: CChar.self),
        raw.count,
        { context, kind, number, bytes in
          let collector = unsafe Unmanaged<RedisTokenCollector>.fromOpaque(context!).takeUnretainedValue()
          unsafe collector.collect(kind, Int(number), bytes)
        },
        Unmanaged.passUnretained(collector).toOpaque()
      )
    }
    guard result == 0 else {
      throw .protocolViolation(unsafe String(cString: sluice_redis_reader_error(reader)))
    }
  }

  /// Everything that became whole since the last call.
  mutating func takeReplies() -> RedisReplies {
    collector.take()
  }
}
