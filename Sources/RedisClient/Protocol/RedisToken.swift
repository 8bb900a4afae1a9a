import CRedisShim
import NIOCore

/// One piece of a reply, in the order in which it was read.
enum RedisToken {
  case null
  case integer(Int)
  /// As long as `length`, from `offset` of the bytes beside the tokens.
  case bulk(offset: Int, length: Int)
  case status(offset: Int, length: Int)
  case error(offset: Int, length: Int)
  /// Followed by the tokens of so many values.
  case array(Int)
}

/// Takes tokens from the C reader until whole replies are asked for.
final class RedisTokenCollector {
  var bytes = ByteBuffer()
  private var tokens: [RedisToken] = []
  /// How much of both belongs to whole replies.
  private var wholeTokens = 0
  private var wholeBytes = 0
  private var wholeReplies = 0

  func collect(_ kind: sluice_redis_kind, _ number: Int, _ start: UnsafePointer<CChar>?) {
    switch kind {
    case .string: tokens.append(.bulk(offset: bytes.writerIndex, length: number))
    case .status: tokens.append(.status(offset: bytes.writerIndex, length: number))
    case .error: tokens.append(.error(offset: bytes.writerIndex, length: number))
    case .integer: tokens.append(.integer(number))
    case .null: tokens.append(.null)
    case .array: tokens.append(.array(number))
    case .end:
      wholeTokens = tokens.count
      wholeBytes = bytes.writerIndex
      wholeReplies += 1
    }
    if let start = unsafe start {
      unsafe bytes.writeBytes(UnsafeRawBufferPointer(start: start, count: number))
    }
  }

  /// The whole replies; what is not whole stays.
  func take() -> RedisReplies {
    guard wholeReplies > 0 else { return RedisReplies(tokens: [], bytes: ByteBuffer(), count: 0) }
    let moved = wholeBytes
    var rest: [RedisToken] = []
    if wholeTokens < tokens.count {
      rest = tokens[wholeTokens...].map { $0.movedDown(by: moved) }
      tokens.removeSubrange(wholeTokens...)
    }
    let restBytes = bytes.getSlice(at: moved, length: bytes.writerIndex - moved).map { slice in
      slice.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: slice.readableBytesView)
    }
    bytes.moveWriterIndex(to: moved)
    let taken = RedisReplies(tokens: tokens, bytes: bytes, count: wholeReplies)
    tokens = rest
    bytes = restBytes ?? ByteBuffer()
    (wholeTokens, wholeBytes, wholeReplies) = (0, 0, 0)
    return taken
  }
}

extension RedisToken {
  fileprivate func movedDown(by count: Int) -> RedisToken {
    switch self {
    case .bulk(let offset, let length): .bulk(offset: offset - count, length: length)
    case .status(let offset, let length): .status(offset: offset - count, length: length)
    case .error(let offset, let length): .error(offset: offset - count, length: length)
    case .null, .integer, .array: self
    }
  }
}
