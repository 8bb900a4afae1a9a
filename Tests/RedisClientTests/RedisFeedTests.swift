import NIOCore
import RedisClient
import TestRedis
import Testing

struct RedisFeedTests {
  @Test func bringsMessagesInOrder() async throws {
    let server = try await RedisServer()
    let feed = try await FeedDriver(server.settings, ["a", "b"])
    let link = try await LinkDriver.ready(server.settings)
    try await feed.isUp()
    #expect(feed.heard.confirmed.sorted() == ["a", "b"])
    let commands = (0..<1_000).map { number -> [RedisArgument] in
      ["PUBLISH", number % 3 == 0 ? "a" : "b", .integer(number)]
    }
    _ = try await link.send(all: commands)
    try await eventually("all messages") { feed.heard.texts.count == 1_000 }
    #expect(feed.heard.texts == (0..<1_000).map { "\($0 % 3 == 0 ? "a" : "b")=\($0)" })
    #expect(feed.heard.batches.count < 500, "one batch per read, not per message")
    try await feed.run { $0.unsubscribe(["a"]) }
    try await eventually("unsubscribed") {
      try await link.send("PUBLISH", "a", "x").get() == .integer(0)
    }
    #expect(try await link.send("PUBLISH", "b", "x").get() == .integer(1))
    try await feed.close()
    try await link.close()
  }

  @Test func subscribesManyInFewCommands() async throws {
    let server = try await RedisServer()
    let feed = try await FeedDriver(server.settings)
    let link = try await LinkDriver.ready(server.settings)
    try await feed.isUp()
    try await feed.run { feed in
      for number in 0..<20_000 { feed.subscribe(["name:\(number)"]) }
    }
    try await eventually("all confirmed") { feed.heard.confirmed.count == 20_000 }
    #expect(Set(feed.heard.confirmed).count == 20_000)
    let text = try #require(try await link.send("INFO", "commandstats").get().string)
    let line = try #require(text.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_subscribe:") })
    let calls = try #require(Int(line.split(separator: "=")[1].split(separator: ",")[0]))
    #expect(calls >= 40 && calls < 200, "\(line)")
    try await feed.close()
    try await link.close()
  }

  @Test func comesBackAfterARestart() async throws {
    let server = try await RedisServer()
    let feed = try await FeedDriver(server.settings, ["a"])
    try await feed.isUp()
    server.stop()
    try await eventually("down") { !feed.heard.downs.isEmpty }
    // What is wanted while it is down counts too.
    try await feed.run { $0.subscribe(["b"]) }
    #expect(try await feed.run { $0.isConfirmed("a") } == false)
    try await server.start()
    try await feed.isUp(times: 2)
    #expect(try await feed.run { $0.isConfirmed("a") && $0.isConfirmed("b") && $0.reconnects == 1 })
    let link = try await LinkDriver.ready(server.settings)
    #expect(try await link.send("PUBLISH", "a", "1").get() == .integer(1))
    #expect(try await link.send("PUBLISH", "b", "2").get() == .integer(1))
    try await eventually("both messages") { feed.heard.texts == ["a=1", "b=2"] }
    try await feed.close()
    try await link.close()
  }

  @Test func comesBackWhenItIsKilledRepeatedly() async throws {
    let server = try await RedisServer()
    let names = (0..<2_000).map { "name:\($0)" }
    let feed = try await FeedDriver(server.settings, names)
    let link = try await LinkDriver.ready(server.settings)
    for round in 1...4 {
      try await feed.isUp(times: round)
      #expect(try await link.send("PUBLISH", "name:1999", .integer(round)).get() == .integer(1))
      try await eventually("message \(round)") { feed.heard.texts.count == round }
      #expect(try await link.send("CLIENT", "KILL", "TYPE", "pubsub").get() == .integer(1))
      try await eventually("down \(round)") { feed.heard.downs.count == round }
      guard case .connectionLost = feed.heard.downs[round - 1] else {
        Issue.record("\(feed.heard.downs)")
        return
      }
    }
    try await feed.close()
    try await link.close()
  }

  @Test func noticesAFrozenServer() async throws {
    let server = try await RedisServer()
    var settings = server.settings
    settings.feedSilence = .seconds(1)
    settings.connectTimeout = .milliseconds(300)
    let feed = try await FeedDriver(settings, ["a"])
    try await feed.isUp()
    // Silent, yet alive: its answers to PING keep it.
    let start = NIODeadline.now()
    try await eventually("several silences") { NIODeadline.now() - start > .milliseconds(2_500) }
    #expect(feed.heard.downs.isEmpty)
    server.freeze()
    let frozen = NIODeadline.now()
    try await eventually("down", within: .seconds(5)) { !feed.heard.downs.isEmpty }
    #expect(NIODeadline.now() - frozen < .seconds(3))
    guard case .timeout = feed.heard.downs[0] else {
      Issue.record("\(feed.heard.downs)")
      return
    }
    server.thaw()
    try await feed.isUp(times: 2)
    try await feed.close()
  }

  @Test func anUnsubscribedFeedIsKeptAliveToo() async throws {
    let server = try await RedisServer()
    var settings = server.settings
    settings.feedSilence = .seconds(1)
    let feed = try await FeedDriver(settings)
    try await feed.isUp()
    let start = NIODeadline.now()
    try await eventually("several silences") { NIODeadline.now() - start > .milliseconds(2_500) }
    #expect(feed.heard.downs.isEmpty)
    try await feed.close()
  }

  @Test func mayBeRebuiltByItsOwner() async throws {
    let server = try await RedisServer()
    let feed = try await FeedDriver(server.settings, ["a"])
    try await feed.isUp()
    try await feed.run { $0.reconnect(because: "the probe did not come back") }
    try await feed.isUp(times: 2)
    #expect(feed.heard.downs == [.connectionLost("the probe did not come back")])
    try await feed.close()
  }

  @Test func saysThatItMayNotListen() async throws {
    let server = try await RedisServer(["--user", "ada", "on", ">x", "~*", "&room:*", "+@all"])
    let feed = try await FeedDriver(RedisSettings(url: "redis://ada:x@\(server.address)"), ["elsewhere"])
    try await eventually("refused") { !feed.heard.downs.isEmpty }
    guard case .authentication(let reason) = feed.heard.downs[0] else {
      Issue.record("\(feed.heard.downs)")
      return
    }
    #expect(reason.contains("NOPERM"))
    #expect(feed.heard.ups == 0)
    try await feed.close()
  }
}
