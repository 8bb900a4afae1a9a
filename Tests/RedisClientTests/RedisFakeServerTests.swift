import Foundation
import NIOCore
import RedisClient
import TestRedis
import Testing

/// What a real server does only at moments that a test cannot choose.
@Suite(.serialized)
struct RedisFakeServerTests {
  @Test func waitsWhileTheServerIsLoading() async throws {
    let server = try await FakeServer { number, text in
      if number <= 3 { return "-LOADING Redis is loading the dataset in memory\r\n" }
      return text.contains("PING") ? "+PONG\r\n" : "$1\r\n1\r\n"
    }
    let link = try await LinkDriver.ready(RedisSettings(address: server.address))
    #expect(server.connections == 4)
    #expect(link.states.filter { $0 == .down(.loading) }.count == 3)
    #expect(link.lastReason?.description.contains("loading") == true)
    #expect(try await link.send("GET", "a").get().integer == 1)
    try await link.close()
    try await server.stop()
  }

  @Test func oneTurnIsOneWrite() async throws {
    let server = try await FakeServer { _, text in
      String(repeating: "+PONG\r\n", count: text.components(separatedBy: "PING").count - 1)
    }
    let link = try await LinkDriver.ready(RedisSettings(address: server.address))
    for _ in 0..<20 {
      _ = try await link.send(all: Array(repeating: ["PING"], count: 100))
    }
    let long = server.everythingRead.filter { $0.utf8.count == 1_400 }
    #expect(long.count == 20, "\(server.everythingRead.map(\.utf8.count))")
    try await link.close()
    try await server.stop()
  }

  @Test(arguments: [
    "HTTP/1.1 400 Bad Request\r\n\r\n", "$99999999999\r\n", "*2147483647\r\n", "+NOT PONG\r\n",
  ])
  func refusesAPeerThatIsNotRedis(answer: String) async throws {
    let server = try await FakeServer { _, _ in answer }
    let link = try await LinkDriver(RedisSettings(address: server.address))
    try await eventually("refused") { link.lastReason != nil }
    guard case .protocolViolation = link.lastReason else {
      Issue.record("\(link.states)")
      return
    }
    let feed = try await FeedDriver(RedisSettings(address: server.address), ["a"])
    try await eventually("refused") { !feed.heard.downs.isEmpty }
    #expect(feed.heard.ups == 0)
    try await feed.close()
    try await link.close()
    try await server.stop()
  }

  @Test func refusesAnAnswerToNoCommand() async throws {
    let server = try await FakeServer { number, _ in number == 1 ? "+PONG\r\n+PONG\r\n" : "+PONG\r\n" }
    let link = try await LinkDriver(RedisSettings(address: server.address))
    try await eventually("refused, then ready") { link.lastReason != nil && link.state == .ready }
    guard case .protocolViolation = link.lastReason else {
      Issue.record("\(link.states)")
      return
    }
    try await link.close()
    try await server.stop()
  }

  @Test func explainsProtectedMode() async throws {
    let server = try await FakeServer(hello: "-DENIED Redis is running in protected mode\r\n") { _, _ in nil }
    let link = try await LinkDriver(RedisSettings(address: server.address))
    try await eventually("refused") { link.lastReason != nil }
    #expect(link.lastReason?.description.contains("protected mode") == true, "\(link.states)")
    try await link.close()
    try await server.stop()
  }

  @Test func givesUpAServerThatSaysNothing() async throws {
    let server = try await FakeServer { _, _ in nil }
    var settings = RedisSettings(address: server.address)
    settings.connectTimeout = .milliseconds(100)
    let link = try await LinkDriver(settings)
    try await eventually("tried again") { server.connections >= 3 }
    guard case .timeout = link.lastReason else {
      Issue.record("\(link.states)")
      return
    }
    try await link.close()
    try await server.stop()
  }

  /// It answers PING, so it is not silent; it is of no use.
  @Test func givesUpAServerThatConfirmsNothing() async throws {
    let server = try await FakeServer { _, text in text.contains("PING") ? "+PONG\r\n" : nil }
    var settings = RedisSettings(address: server.address)
    settings.feedSilence = .milliseconds(400)
    let feed = try await FeedDriver(settings, ["a"])
    try await eventually("given up") { feed.heard.downs.count >= 2 }
    #expect(feed.heard.downs[0].description.contains("confirm"), "\(feed.heard.downs)")
    #expect(feed.heard.ups == 0)
    try await feed.close()
    try await server.stop()
  }

  @Test func garbageInTheMiddleFailsWhatWaits() async throws {
    let server = try await FakeServer { _, text in text.contains("GET") ? "?\r\n" : "+PONG\r\n" }
    let link = try await LinkDriver.ready(RedisSettings(address: server.address))
    let replies = try await link.send(all: [["GET", "a"], ["GET", "b"]])
    for reply in replies {
      guard case .failure(.protocolViolation) = reply else {
        Issue.record("\(reply)")
        continue
      }
    }
    try await eventually("connected anew") { server.connections >= 2 }
    try await link.close()
    try await server.stop()
  }

  /// What a replica answers.
  @Test func aReplicaIsSaidToBeOne() async throws {
    let server = try await FakeServer { _, text in
      text.contains("PING") ? "+PONG\r\n" : "-READONLY You can't write against a read only replica.\r\n"
    }
    let link = try await LinkDriver.ready(RedisSettings(address: server.address))
    guard case .failure(let error) = try await link.send("SET", "a", "1") else {
      Issue.record("it was written")
      return
    }
    #expect(error.description.contains("READONLY"))
    #expect(error.description.contains("replica"))
    try await link.close()
    try await server.stop()
  }

  /// It was the primary when it was connected to. Its name leads to another server after a while.
  @Test func aPrimaryThatBecameAReplicaIsLeft() async throws {
    let server = try await FakeServer { number, text in
      switch text {
      case _ where text.contains("SET"): number == 1 ? "-READONLY You can't write.\r\n" : "+OK\r\n"
      case _ where text.contains("ROLE"):
        "*1\r\n$\(number <= 3 ? "5\r\nslave" : "6\r\nmaster")\r\n+PONG\r\n"
      default: "+PONG\r\n"
      }
    }
    let link = try await LinkDriver.ready(RedisSettings(address: server.address))
    let replies = try await link.send(all: [["SET", "a", "1"], ["SET", "a", "2"]])
    guard case .failure(.server(let error)) = replies[0], error.prefix == "READONLY" else {
      Issue.record("\(replies)")
      return
    }
    try await eventually("left") { link.states.contains { if case .down = $0 { true } else { false } } }
    #expect(link.lastReason?.description.contains("primary") == true)
    try await link.becomesReady()
    #expect(server.connections == 4)
    #expect(try await link.send("SET", "a", "3") == .success(.status("OK")))
    try await link.close()
    try await server.stop()
  }

  /// The server has forgotten a script and then says nothing: what is held back for it is bounded, too.
  @Test func heldScriptsAreBounded() async throws {
    let server = try await FakeServer { _, text in
      if text.contains("EVALSHA") { return "-NOSCRIPT No matching script.\r\n" }
      return text.contains("PING") ? "+PONG\r\n" : nil
    }
    var settings = RedisSettings(address: server.address)
    settings.maximumPending = 10
    let link = try await LinkDriver.ready(settings)
    // The answer to the first of two: the second is awaited, and everything after it held back.
    async let early = link.evaluate(RedisScript("return 1"), all: [[], []])
    try await eventually("both are asked") { server.everythingRead.contains { $0.contains("EVALSHA") } }
    let late = try await link.evaluate(RedisScript("return 1"), all: Array(repeating: [], count: 30))
    let refused = late.count { if case .failure(.overloaded) = $0 { true } else { false } }
    #expect((20...22).contains(refused), "\(late)")
    #expect(late.allSatisfy { if case .failure = $0 { true } else { false } })
    _ = try await early
    #expect(try await link.run { $0.pending } <= 10)
    try await link.close()
    try await server.stop()
  }

  /// The first half of an answer, and then nothing.
  @Test func halfAnAnswerIsNoAnswer() async throws {
    let server = try await FakeServer { number, text in
      if text.contains("PING") { return "+PONG\r\n" }
      return number == 1 ? "$10\r\nhalf" : "$1\r\n1\r\n"
    }
    var settings = RedisSettings(address: server.address)
    settings.commandTimeout = .milliseconds(200)
    let link = try await LinkDriver.ready(settings)
    guard case .failure(.timeout) = try await link.send("GET", "a") else {
      Issue.record("it was answered")
      return
    }
    try await eventually("another connection") { server.connections >= 2 && link.state == .ready }
    #expect(try await link.send("GET", "a").get().integer == 1)
    try await link.close()
    try await server.stop()
  }
}
