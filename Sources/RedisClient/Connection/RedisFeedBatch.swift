import NIOCore

/// What one turn of reading a feed brought.
struct RedisFeedBatch {
  private(set) var messages: [RedisFeedMessage] = []
  private(set) var confirmed: [String] = []
  /// Requests answered.
  private(set) var answers = 0
  /// The name of the last message: in a burst for one name it is made once.
  private var lastName = (bytes: ByteBuffer(), text: "")

  /// Reads the next reply, whatever it is.
  mutating func read(_ replies: inout RedisReplies, _ wanted: inout RedisWantedNames) throws(RedisError) {
    if let (channel, payload) = replies.nextMessage() {
      if channel != lastName.bytes { lastName = (channel, String(buffer: channel)) }
      messages.append(RedisFeedMessage(name: lastName.text, payload: payload))
      return
    }
    switch replies.nextReply() {
    case .failure(let error): throw error
    case .success(.status("PONG")), .none: return
    case .success(let value):
      guard let parts = value.array, let kind = parts.first?.string else { throw Self.strange }
      switch (kind, parts.count) {
      case ("pong", 2): return
      case ("subscribe", 3), ("unsubscribe", 3):
        guard let name = parts[1].string else { throw Self.strange }
        answers += 1
        if wanted.answered(name, subscribed: kind == "subscribe") { confirmed.append(name) }
      default: throw Self.strange
      }
    }
  }

  private static let strange = RedisError.protocolViolation(
    "something on the feed that does not belong there"
  )
}
