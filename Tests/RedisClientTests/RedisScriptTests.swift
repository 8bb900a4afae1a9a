import NIOCore
import RedisClient
import TestRedis
import Testing

struct RedisScriptTests {
  private let push = RedisScript("return redis.call('RPUSH', KEYS[1], ARGV[1])")

  /// Also when the server forgets the script again and again, meanwhile.
  @Test func runsInOrderWhenTheServerForgets() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    let other = try await LinkDriver.ready(server.settings)
    async let flushes: Void = {
      for _ in 0..<100 { _ = try await other.send("SCRIPT", "FLUSH") }
    }()
    var next = 0
    for _ in 0..<100 {
      let replies = try await link.evaluate(push, all: (next..<next + 20).map { [.integer($0)] })
      next += 20
      #expect(try replies.map { try $0.get().integer } == Array(next - 19...next))
    }
    try await flushes
    let list = try await link.send("LRANGE", "list", 0, -1).get().array
    #expect(list?.map(\.integer) == Array(0..<2_000))
    try await link.close()
    try await other.close()
  }

  @Test func sendsTheSourceOnlyWhenItMust() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    for turn in 0..<3 {
      if turn == 2 { _ = try await link.send("SCRIPT", "FLUSH") }
      _ = try await link.evaluate(push, all: Array(repeating: ["x"], count: 100))
    }
    let text = try #require(try await link.send("INFO", "commandstats").get().string)
    let evals = text.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_eval:") }
    #expect(evals?.contains("calls=2,") == true, "\(String(describing: evals))")
    #expect(try await link.send("LLEN", "list").get() == .integer(300))
    try await link.close()
  }

  @Test func aScriptsOwnErrorIsItsAnswer() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    let failing = RedisScript("return redis.error_reply('STALE not now')")
    let reply = try await link.evaluate(failing, all: [[]])[0]
    #expect(reply == .failure(.server(RedisServerError(prefix: "STALE", message: "not now"))))
    try await link.close()
    #expect(try await link.evaluate(push, all: [[]])[0] == .failure(.closed))
  }
}
