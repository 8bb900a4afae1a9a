import NIOCore

/// How a WebSocket connection behaves whatever it is for.
struct WebSocketSettings: Sendable {
  /// Bytes of one message, over all its fragments; over it the connection fails with `1009`.
  var maximumMessageSize: Int
  /// How long one message may take to arrive, from its first byte that is read to its last.
  var messageWithin = TimeAmount.seconds(30)
  /// Whether permessage-deflate is agreed to.
  var compresses = false
  /// After so much silence of the peer it is sent a ping; nil: never.
  var pingAfter: TimeAmount? = .seconds(25)
  /// How long the peer may be silent after a ping.
  var pongWithin = TimeAmount.seconds(10)
  /// How long the peer has to answer our close frame, and again to close its half of the connection.
  var closeWithin = TimeAmount.seconds(1)

  init(maximumMessageSize: Int) {
    self.maximumMessageSize = maximumMessageSize
  }
}
