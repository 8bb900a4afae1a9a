import NIOCore

@testable import RedisClient

extension FuzzTarget {
  /// What a server of Redis answers, through hiredis, and commands written for it.
  static let redisReplies = FuzzTarget(
    "redis-replies",
    longest: 1_000,
    words: [
      "\r\n", "+OK\r\n", "-ERR no\r\n", ":1\r\n", "$-1\r\n", "*-1\r\n", "$3\r\nabc\r\n", "*2\r\n",
      "*3\r\n$7\r\nmessage\r\n",
      "*3\r\n$9\r\nsubscribe\r\n", "%1\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", ">2\r\n", "(1\r\n",
      "=7\r\ntxt:abc\r\n",
      "9223372036854775807", "-9223372036854775808", "4294967296", "18446744073709551616",
    ]
  ) { input in
    let runs = Pieces.ways(input).map(ReplyRun.init)
    let run = runs[0]
    for other in runs.dropFirst() { try demandSame(run, other, "cut otherwise, these are other replies") }
    for case .success(let reply) in run.replies { try reply.demandLimits(depth: 0) }
    try ReplyRun.demandMessagesAreReplies(input)

    // Cut at its zeros, the input is a command.
    let arguments = input.split(separator: 0, omittingEmptySubsequences: false).map {
      RedisArgument.bytes(ByteBuffer(bytes: $0))
    }
    var formatter = RedisCommandFormatter()
    var command = ByteBuffer()
    try demand(formatter.format(arguments, into: &command), "a command that cannot be formatted")
    var reader = RedisReplyReader()
    try reader.feed(command)
    var replies = reader.takeReplies()
    let expected = arguments.map { argument -> RedisValue in
      if case .bytes(let bytes) = argument { .bulk(bytes) } else { .null }
    }
    try demandSame(try replies.nextReply()?.get(), .array(expected), "a command that is read as another")
    try demand(replies.isEmpty, "more than one command")
  }
}

struct ReplyRun: Equatable {
  static let limits = {
    var limits = RedisReplyLimits()
    limits.elements = 20
    limits.bulkBytes = 200
    limits.lineBytes = 100
    limits.depth = 5
    return limits
  }()

  var replies: [Result<RedisValue, RedisError>] = []
  var hasFailed = false

  init(_ pieces: [ByteBuffer]) {
    var reader = RedisReplyReader(limits: ReplyRun.limits)
    for piece in pieces where !hasFailed {
      do throws(RedisError) { try reader.feed(piece) } catch { hasFailed = true }
      var taken = reader.takeReplies()
      while let reply = taken.nextReply() { replies.append(reply) }
    }
  }

  /// A message that is passed by is the reply that it would have been.
  static func demandMessagesAreReplies(_ input: [UInt8]) throws {
    var reader = RedisReplyReader(limits: limits)
    try? reader.feed(ByteBuffer(bytes: input))
    var replies = reader.takeReplies()
    while !replies.isEmpty {
      var other = replies
      if let (channel, payload) = replies.nextMessage() {
        let message = RedisValue.array([
          .bulk(ByteBuffer(string: "message")), .bulk(channel), .bulk(payload),
        ])
        try demandSame(try other.nextReply()?.get(), message, "a message that is another reply")
      } else {
        _ = replies.nextReply()
      }
    }
  }
}

extension RedisValue {
  fileprivate func demandLimits(depth: Int) throws(Broken) {
    switch self {
    case .null, .integer: break
    case .bulk(let bytes):
      try demand(bytes.readableBytes <= ReplyRun.limits.bulkBytes, "a bulk over the limit")
    case .status(let text):
      try demand(text.unicodeScalars.count <= ReplyRun.limits.lineBytes, "a line over the limit")
    case .error: break
    case .array(let values):
      try demand(values.count <= ReplyRun.limits.elements, "an array over the limit")
      try demand(depth < ReplyRun.limits.depth, "arrays too deep")
      for value in values { try value.demandLimits(depth: depth + 1) }
    }
  }
}
