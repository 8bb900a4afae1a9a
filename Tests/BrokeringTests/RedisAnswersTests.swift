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

  private func page(_ offsets: [Int], tail: Int = 10, oldest: Int = 1) -> LogPage? {
    let fields: [RedisValue] = [
      .status("t"), .integer(5), .status("d"), .bulk(ByteBuffer(string: "{}")),
    ]
    let entries = offsets.map { RedisValue.array([.status("\($0)-0"), .array(fields)]) }
    return RedisAnswers.page(.array([epoch, .integer(tail), .integer(oldest), .array(entries)]))
  }

  @Test func aPageBeginsAfterItsLastHole() throws {
    let whole = try #require(page([6, 7, 8, 9, 10]))
    #expect(whole.messages.map(\.cursor.offset) == [6, 7, 8, 9, 10] && whole.position?.oldest == 1)
    let broken = try #require(page([6, 7, 9, 10]))
    #expect(broken.messages.map(\.cursor.offset) == [9, 10] && broken.position?.oldest == 9)
    let twice = try #require(page([1, 3, 4, 8]))
    #expect(twice.messages.map(\.cursor.offset) == [8] && twice.position?.oldest == 8)
    let beyond = try #require(page([6, 12]))
    #expect(beyond.position?.oldest == 11)
    #expect(page([])?.position?.oldest == 1)
  }

  @Test(arguments: [[6, 6], [7, 6], [6, 7, 5], [6, 9, 9]])
  func refusesPagesThatDoNotAscend(offsets: [Int]) {
    #expect(page(offsets) == nil)
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
