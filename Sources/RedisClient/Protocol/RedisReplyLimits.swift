/// What a reply may hold. What claims more is refused at its header, without memory for it.
public struct RedisReplyLimits: Sendable, Equatable {
  /// Elements of one array.
  public var elements = 1 << 20
  /// Bytes of one bulk string.
  public var bulkBytes = 32 << 20
  /// Bytes of one status or error line.
  public var lineBytes = 64 << 10
  /// Bytes of one whole reply.
  public var replyBytes = 128 << 20
  /// Arrays in arrays. hiredis 0.14 allows 7 at most.
  public var depth = 7

  public init() {}
}
