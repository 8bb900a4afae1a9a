import NIOCore

/// Whole replies, read one value after the other. Values are slices of one buffer.
struct RedisReplies {
  private let tokens: [RedisToken]
  private let bytes: ByteBuffer
  private var next = 0
  /// How many replies there are to read in all.
  let count: Int

  init(tokens: [RedisToken], bytes: ByteBuffer, count: Int) {
    self.tokens = tokens
    self.bytes = bytes
    self.count = count
  }

  var isEmpty: Bool { next == tokens.count }

  /// The next reply; an error reply is a failure. Nil after the last.
  mutating func nextReply() -> Result<RedisValue, RedisError>? {
    guard !isEmpty else { return nil }
    let value = nextValue()
    if case .error(let error) = value { return .failure(RedisError(error)) }
    return .success(value)
  }

  /// When the next reply is `["message", channel, payload]`, passes it by and answers its two last parts.
  mutating func nextMessage() -> (channel: ByteBuffer, payload: ByteBuffer)? {
    guard tokens.count - next >= 4, case .array(3) = tokens[next],
      case .bulk(let kind, Self.message.count) = tokens[next + 1],
      case .bulk(let channel, let channelLength) = tokens[next + 2],
      case .bulk(let payload, let payloadLength) = tokens[next + 3],
      bytes.viewBytes(at: kind, length: Self.message.count)!.elementsEqual(Self.message)
    else { return nil }
    next += 4
    return (slice(channel, channelLength), slice(payload, payloadLength))
  }

  private static let message = Array("message".utf8)

  private mutating func nextValue() -> RedisValue {
    let token = tokens[next]
    next += 1
    switch token {
    case .null: return .null
    case .integer(let value): return .integer(value)
    case .bulk(let offset, let length): return .bulk(slice(offset, length))
    case .status(let offset, let length): return .status(text(offset, length))
    case .error(let offset, let length): return .error(RedisServerError(line: text(offset, length)))
    case .array(let count):
      var values: [RedisValue] = []
      values.reserveCapacity(count)
      for _ in 0..<count { values.append(nextValue()) }
      return .array(values)
    }
  }

  private func slice(_ offset: Int, _ length: Int) -> ByteBuffer {
    bytes.getSlice(at: offset, length: length)!
  }

  private func text(_ offset: Int, _ length: Int) -> String {
    bytes.getString(at: offset, length: length)!
  }
}
