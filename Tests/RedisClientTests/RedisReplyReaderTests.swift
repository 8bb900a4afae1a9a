import NIOCore
import Testing

@testable import RedisClient

/// What the replies of one stream look like.
private let stream =
  "+OK\r\n:42\r\n:-7\r\n$5\r\nhe\r\no\r\n$-1\r\n$0\r\n\r\n*-1\r\n*0\r\n"
  + "*3\r\n$7\r\nmessage\r\n$6\r\nroom:a\r\n$2\r\nhi\r\n-ERR no such thing\r\n"
  + "*2\r\n*2\r\n+a\r\n-WRONGTYPE not so\r\n*1\r\n*1\r\n$1\r\nx\r\n"

private let expected: [Reply] = [
  .success(.status("OK")), .success(.integer(42)), .success(.integer(-7)),
  .success(.bulk(ByteBuffer(string: "he\r\no"))), .success(.null), .success(.bulk(ByteBuffer())),
  .success(.null), .success(.array([])),
  .success(
    .array([
      .bulk(ByteBuffer(string: "message")), .bulk(ByteBuffer(string: "room:a")),
      .bulk(ByteBuffer(string: "hi")),
    ])
  ),
  .failure(.server(RedisServerError(prefix: "ERR", message: "no such thing"))),
  .success(
    .array([
      .array([.status("a"), .error(RedisServerError(prefix: "WRONGTYPE", message: "not so"))]),
      .array([.array([.bulk(ByteBuffer(string: "x"))])]),
    ])
  ),
]

private func read(_ pieces: [String], limits: RedisReplyLimits = RedisReplyLimits()) -> ([Reply], RedisError?)
{
  var reader = RedisReplyReader(limits: limits)
  var all: [Reply] = []
  var failure: RedisError?
  for piece in pieces where failure == nil {
    do throws(RedisError) { try reader.feed(ByteBuffer(string: piece)) } catch { failure = error }
    var replies = reader.takeReplies()
    while let reply = replies.nextReply() { all.append(reply) }
  }
  return (all, failure)
}

/// Strings would join "\r" and "\n" into one character.
private func pieces(_ text: String, cutAt cuts: [Int]) -> [String] {
  let bytes = Array(text.utf8)
  let bounds = [0] + cuts.sorted() + [bytes.count]
  return zip(bounds, bounds.dropFirst()).map { String(decoding: bytes[$0..<$1], as: UTF8.self) }
}

struct RedisReplyReaderTests {
  @Test func readsTheWholeStreamAtOnce() {
    let (replies, failure) = read([stream])
    #expect(replies == expected)
    #expect(failure == nil)
  }

  @Test func readsItByteByByte() {
    let (replies, failure) = read(pieces(stream, cutAt: Array(1..<stream.utf8.count)))
    #expect(replies == expected)
    #expect(failure == nil)
  }

  @Test func readsItCutAnywhereOnce() {
    for cut in 1..<stream.utf8.count {
      let (replies, failure) = read(pieces(stream, cutAt: [cut]))
      #expect(replies == expected, "cut at \(cut)")
      #expect(failure == nil)
    }
  }

  @Test func readsItInRandomPieces() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var random = SplitMix(state: seed)
    let long = String(repeating: stream, count: 20)
    for _ in 0..<300 {
      let cuts = (0..<Int.random(in: 1...60, using: &random)).map { _ in
        Int.random(in: 0...long.utf8.count, using: &random)
      }
      let (replies, failure) = read(pieces(long, cutAt: cuts))
      #expect(replies == Array(repeating: expected, count: 20).flatMap { $0 }, "seed \(seed)")
      #expect(failure == nil)
    }
  }

  /// Longer than the slices in which hiredis is fed, so that values span them.
  @Test func readsLargeValues() {
    let large = String(repeating: "0123456789abcdef", count: 5_000)
    let text = "*2\r\n$80000\r\n\(large)\r\n:1\r\n"
    let (replies, failure) = read(pieces(text, cutAt: [3, 9, 5_000, 70_000]))
    #expect(replies == [.success(.array([.bulk(ByteBuffer(string: large)), .integer(1)]))])
    #expect(failure == nil)
  }

  /// Messages are read without their values being built, and what is between them is not lost.
  @Test func passesMessagesBy() throws {
    var reader = RedisReplyReader()
    try reader.feed(ByteBuffer(string: stream))
    var replies = reader.takeReplies()
    for _ in 0..<8 {
      let none = replies.nextMessage()
      #expect(none == nil)
      _ = replies.nextReply()
    }
    let next = replies.nextMessage()
    let message = try #require(next)
    #expect(String(buffer: message.channel) == "room:a")
    #expect(String(buffer: message.payload) == "hi")
    let after = replies.nextReply()
    #expect(after == expected[9])
  }

  @Test(arguments: [
    "$99999999999\r\n", "*2\r\n:1\r\n$33554433\r\n", "$9223372036854775807\r\n", "*1048577\r\n",
    "*2147483647\r\n", "*99999999999\r\n", "*3\r\n*1048577\r\n",
    "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
  ])
  func refusesAtTheHeader(text: String) {
    #expect(isViolation(read([text]).1))
    #expect(isViolation(read(pieces(text, cutAt: Array(1..<text.utf8.count))).1))
  }

  /// Allocating for what these claim would take some hundred gigabytes.
  @Test func refusesOftenWithoutMemory() {
    for _ in 0..<200 {
      #expect(isViolation(read(["*1048577\r\n"]).1))
      #expect(isViolation(read(["$33554433\r\n"]).1))
      let (replies, failure) = read(["*1048576\r\n$33554432\r\n"])
      #expect(replies.isEmpty)
      #expect(failure == nil)
    }
  }

  @Test(arguments: [
    "HTTP/1.1 400 Bad Request\r\n", "\u{0}\u{1}\u{2}", ":x\r\n", "$x\r\n", "$-2\r\n", "*x\r\n", "*-2\r\n",
    "%1\r\n+a\r\n+b\r\n", "~1\r\n+a\r\n", ">1\r\n+a\r\n", "_\r\n", "#t\r\n", ",1.5\r\n", "(1\r\n",
    "=5\r\ntxt:a\r\n", "$123456789012345678901234567890", ":1234567890123456789012345678901",
  ])
  func refusesWhatIsNotRESP2(text: String) {
    #expect(isViolation(read([text]).1))
    #expect(isViolation(read(pieces(text, cutAt: Array(1..<text.utf8.count))).1))
  }

  @Test func refusesAnEndlessLine() {
    let (replies, failure) = read(["+"] + Array(repeating: String(repeating: "a", count: 1_000), count: 100))
    #expect(replies.isEmpty)
    #expect(isViolation(failure))
  }

  @Test func refusesATooLongReplyOfShortParts() {
    var limits = RedisReplyLimits()
    limits.replyBytes = 10_000
    let (_, failure) = read(
      ["*100000\r\n", String(repeating: "$3\r\nabc\r\n", count: 5_000)],
      limits: limits
    )
    #expect(isViolation(failure))
    // Many replies are no long reply.
    let (replies, none) = read([String(repeating: "$3\r\nabc\r\n", count: 5_000)], limits: limits)
    #expect(replies.count == 5_000)
    #expect(none == nil)
  }

  @Test func keepsWhatWasWholeBeforeAMistake() {
    let (replies, failure) = read(["+OK\r\n:1\r\n!oops\r\n"])
    #expect(replies == [.success(.status("OK")), .success(.integer(1))])
    #expect(isViolation(failure))
  }

  @Test func saysWhatWasRefused() {
    #expect(read(["$99999999999\r\n"]).1?.description.contains("99999999999") == true)
    #expect(read(["*99999999\r\n"]).1?.description.contains("99999999") == true)
  }

  @Test func aLineAsLongAsTheLimitIsTakenAtEverySplit() {
    var limits = RedisReplyLimits()
    limits.lineBytes = 100
    for length in [99, 100, 101] {
      let text = "+\(String(repeating: "a", count: length))\r\n"
      for cuts in [[], Array(1..<text.utf8.count)] {
        let (replies, failure) = read(pieces(text, cutAt: cuts), limits: limits)
        #expect((failure == nil) == (length <= 100), "\(length), \(cuts.count) cuts")
        #expect(replies.count == (length <= 100 ? 1 : 0))
      }
    }
  }

  private func isViolation(_ error: RedisError?) -> Bool {
    if case .protocolViolation(let reason) = error { !reason.isEmpty } else { false }
  }
}

/// Repeatable chance.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
