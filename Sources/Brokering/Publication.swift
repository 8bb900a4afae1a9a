public import NIOCore
public import Wire

/// One publish.
public struct Publication: Sendable {
  public var channel: ChannelName
  /// One JSON value in one line, validated.
  public var data: ByteBuffer
  public var user: String?
  /// The idempotency key: within five minutes of the first, one that the same user repeats answers the first's cursor
  /// and stores nothing.
  public var key: String?
  /// Whether an operator, or a backend, publishes: no client can use up its keys.
  public var isOfOperator = false

  public init(channel: ChannelName, data: ByteBuffer, user: String? = nil, key: String? = nil) {
    self.channel = channel
    self.data = data
    self.user = user
    self.key = key
  }

  /// The key with whose it is: nobody can use up another user's, or an operator's. Nil without one.
  var keyOfUser: String? {
    guard let key else { return nil }
    if isOfOperator { return "!\(key)" }
    return user.map { "@\($0.utf8.count):\($0):\(key)" } ?? ":\(key)"
  }
}

/// The answer to a publish.
public struct Receipt: Sendable, Equatable {
  /// Nil in an ephemeral channel.
  public var cursor: Cursor?
  /// The key was used before: this is the first publish's cursor.
  public var isRepeated: Bool

  public init(cursor: Cursor?, isRepeated: Bool) {
    self.cursor = cursor
    self.isRepeated = isRepeated
  }
}
