import NIOCore
import RedisClient
import Testing
import Wire

@testable import Brokering

/// Answers that no script of ours gives, but a broken Redis might.
struct RedisAnswersTests {
  private let epoch = RedisValue.status("k3f9x2ab")

  @Test(arguments: [(-1, 1), (0, 0), (0, 2), (5, 0), (5, 7), (5, Int.max), (Int.max, 1), (1 << 53 + 1, 1)])
  func refusesPositionsThatAreNone(tail: Int, oldest: Int) {
    #expect(RedisAnswers.position(.array([epoch, .integer(tail), .integer(oldest)])) == nil)
  }

  @Test(arguments: [(0, 1), (5, 1), (5, 5), (5, 6), (1 << 53, 1)])
  func takesPositionsAtTheirBounds(tail: Int, oldest: Int) {
    #expect(RedisAnswers.position(.array([epoch, .integer(tail), .integer(oldest)])) != nil)
  }

  @Test(arguments: ["0-0", "9007199254740993-0", "18446744073709551615-0", "-1-0", "1-1", "x-0"])
  func refusesMessagesThatHaveNoPlace(id: String) {
    let fields = ["t", "5", "d", "{}"].map(RedisValue.status)
    let entry = RedisValue.array([
      .status(id), .array([fields[0], .integer(5), fields[2], .bulk(ByteBuffer())]),
    ])
    let page = RedisValue.array([epoch, .integer(5), .integer(1), .array([entry])])
    #expect(RedisAnswers.page(page) == nil)
  }

  @Test(arguments: [
    (0, "9223372036854775807"), (1, "-9223372036854775808"), (Int.max, "-9223372036854775808"),
    (Int.min, "9223372036854775807"), (-1, "9223372036854775807"),
  ])
  func timesFarApartAreNoReasonToEnd(now: Int, until: String) throws {
    let record = RedisValue.bulk(ByteBuffer(string: "\(until) {}"))
    let nodes = RedisAnswers.nodes(.array([.integer(now), .status("n:x#1"), record]), lease: .seconds(6))
    let node = try #require(nodes?.first)
    #expect(node.isAlive == (Int(until)! >= now))
    #expect(node.isAlive ? node.silence == .zero : node.silence > .hours(1_000_000))
  }
}
