public import NIOCore

/// What a client may cost before it has said anything sensible.
public struct HTTPLimits: Sendable {
  /// From the first byte of a request, or from the accept, to the end of its head.
  public var headTimeout = TimeAmount.seconds(10)
  /// From the accept of a connection that is refused to the end of its first request's head.
  public var refusalTimeout = TimeAmount.seconds(2)
  /// From the end of the head to the end of the body.
  public var bodyTimeout = TimeAmount.seconds(30)
  /// Between two requests; as long for the client to take the last answer of a connection.
  public var idleTimeout = TimeAmount.seconds(75)
  /// How long the client may go on sending after our last byte, so that it can still read that.
  public var lingerTimeout = TimeAmount.seconds(2)
  /// Bytes of a request target; over it `414`.
  public var targetLength = 8 * 1024
  /// Bytes of one header field; over it `431`. Larger than the target, which the parser counts as one.
  public var fieldLength = 16 * 1024
  /// Bytes of all header fields of a request.
  public var headLength = 64 * 1024
  /// Header fields of a request.
  public var fieldCount = 128
  /// Connections of one loop that are kept open between two requests; beyond, an answer is the last of its own.
  public var idleConnections = 10_000
  /// Bytes of large answers that the clients of one loop may leave unread; beyond, who reads nothing is closed.
  public var unreadBytes = 128 << 20
  /// Parsed pieces of later requests that may wait for the answer to this one before reading pauses.
  public var waitingParts = 32

  public init() {}
}
