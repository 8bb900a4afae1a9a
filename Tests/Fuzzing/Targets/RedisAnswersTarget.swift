import NIOCore
import Wire

@testable import Brokering
@testable import RedisClient

extension FuzzTarget {
  /// What the broker makes of replies: answers of its scripts, and what is published on the feed.
  static let redisAnswers = FuzzTarget(
    "redis-answers",
    longest: 1_000,
    words: [
      "*2\r\n", "*3\r\n", "*4\r\n", "*6\r\n", "$10\r\nabcdefgh.1\r\n", "$8\r\nabcdefgh\r\n", ":1\r\n",
      ":0\r\n",
      ":9223372036854775807\r\n", ":-9223372036854775808\r\n", "$3\r\n1-0\r\n", "$1\r\nd\r\n",
      "*3\r\n$7\r\nmessage\r\n",
      "$9\r\nsubscribe\r\n", "M", "E", "J", "L", "C ", "A ", "abcdefgh 1 2 -1\n", "1 16 -1 -1\n",
      "999999999999999999", "-1",
    ]
  ) { input in
    var reader = RedisReplyReader()
    try? reader.feed(ByteBuffer(bytes: input))
    var replies = reader.takeReplies()
    while case .some(let reply) = replies.nextReply() {
      if case .success(let value) = reply { try value.demandAnswersAreSound() }
    }

    var feed = reader.takeReplies()
    var wanted = RedisWantedNames(chunk: 10, window: 10)
    var batch = RedisFeedBatch()
    var second = RedisReplyReader()
    try? second.feed(ByteBuffer(bytes: input))
    feed = second.takeReplies()
    while !feed.isEmpty, (try? batch.read(&feed, &wanted)) != nil {}
    try demand(batch.confirmed.isEmpty, "a name that nobody wants is confirmed")
    for message in batch.messages { try message.payload.demandPayloadIsSound() }
    try ByteBuffer(bytes: input).demandPayloadIsSound()
  }
}

extension RedisValue {
  fileprivate func demandAnswersAreSound() throws {
    if let receipt = RedisAnswers.receipt(self) { try receipt.cursor?.demandIsCursor() }
    if let page = RedisAnswers.page(self) {
      try page.position?.cursor.demandIsCursor()
      for message in page.messages {
        try message.cursor.demandIsCursor()
        try demand(message.cursor.offset > 0, "a message before the first")
      }
      for (message, next) in zip(page.messages, page.messages.dropFirst()) {
        try demand(next.cursor.offset == message.cursor.offset + 1, "a page with a hole")
      }
      if let position = page.position {
        try demand(position.oldest <= position.tail + 1, "the oldest is newer than the newest")
      }
    }
    if let page = RedisAnswers.members(self, limit: 2) {
      try demand(page.members.count <= 2, "more members than asked for")
    }
    if let nodes = RedisAnswers.nodes(self, lease: .seconds(6)) {
      try demand(nodes.allSatisfy { $0.silence >= .zero }, "a silence below nothing")
    }
    if let text = string { _ = RedisAnswers.run(text) }
    for value in array ?? [] { try value.demandAnswersAreSound() }
  }
}

extension ByteBuffer {
  fileprivate func demandPayloadIsSound() throws {
    _ = RedisCommandNotice(self)
    switch RedisFrame.parse(self) {
    case .message(let message):
      try message.cursor.demandIsCursor()
      try demand(message.cursor.offset > 0, "a message before the first")
    case .join(let member), .leave(let member):
      try demandSame(RedisFrame.member(RedisFrame.record(member)), member, "a member that is read as another")
    case .ephemeral, nil: break
    }
  }
}
