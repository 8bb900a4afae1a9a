import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing

struct RedisLinkTests {
  @Test func answersInTheOrderOfCommands() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    let replies = try await link.send(
      all: (0..<2_000).map { number in
        number % 2 == 0 ? ["ECHO", .integer(number)] : ["INCR", "counter"]
      }
    )
    for (number, reply) in replies.enumerated() {
      #expect(try reply.get().integer == (number % 2 == 0 ? number : number / 2 + 1))
    }
    let (commands, pending) = try await link.run { ($0.commands, $0.pending) }
    #expect(commands == 2_000)
    #expect(pending == 0)
    try await link.close()
    #expect(link.states == [.connecting, .ready, .closed])
  }

  @Test func anErrorIsTheAnswerOfItsCommandOnly() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    let replies = try await link.send(all: [["SET", "a", "1"], ["LPUSH", "a", "x"], ["GET", "a"]])
    #expect(replies[0] == .success(.status("OK")))
    guard case .failure(.server(let error)) = replies[1] else {
      Issue.record("\(replies[1])")
      return
    }
    #expect(error.prefix == "WRONGTYPE")
    #expect(try replies[2].get().string == "1")
    try await link.close()
  }

  @Test func carriesLargeValues() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    let large = ByteBuffer(repeating: 7, count: 3 << 20)
    #expect(try await link.send("SET", "large", .bytes(large)) == .success(.status("OK")))
    #expect(try await link.send("GET", "large").get().bytes == large)
    try await link.close()
  }

  @Test func usesTheDatabaseUserAndPassword() async throws {
    let server = try await RedisServer([
      "--requirepass", "p@ss/word", "--user", "ada", "on", ">x:y", "~*", "&*", "+@all",
    ])
    let one = try await LinkDriver.ready(RedisSettings(url: "redis://:p%40ss%2Fword@\(server.address)/2"))
    let other = try await LinkDriver.ready(RedisSettings(url: "redis://ada:x%3Ay@\(server.address)/2"))
    #expect(try await one.send("SET", "a", "1") == .success(.status("OK")))
    #expect(try await other.send("GET", "a").get().string == "1")
    #expect(try await other.send("ACL", "WHOAMI").get().string == "ada")
    try await one.close()
    try await other.close()
  }

  @Test func saysThatThePasswordIsWrong() async throws {
    let server = try await RedisServer(["--requirepass", "right"])
    let open = try await RedisServer()
    for (url, words) in [
      ("redis://:wrong@\(server.address)", "wrong user or password"),
      ("redis://\(server.address)", "asks for a password"),
      ("redis://:wrong@\(open.address)", "needs no password"),
    ] {
      let link = try await LinkDriver(RedisSettings(url: url))
      try await eventually("refused: \(link.states)") { link.lastReason != nil }
      let reason = try #require(link.lastReason)
      guard case .authentication = reason else {
        Issue.record("\(reason)")
        continue
      }
      #expect(reason.description.contains(words), "\(reason)")
      try await link.close()
    }
  }

  @Test func saysThatTheAddressIsWrong() async throws {
    let nobody = RedisAddress(host: "127.0.0.1", port: try await freePort())
    let link = try await LinkDriver(RedisSettings(address: nobody))
    try await eventually("down") { link.lastReason != nil }
    #expect(link.lastReason?.description.contains("\(nobody)") == true)
    #expect(link.lastReason?.description.lowercased().contains("refused") == true, "\(link.states)")
    let reply = try await link.send("PING")
    guard case .failure(.notConnected(let reason)) = reply else {
      Issue.record("\(reply)")
      return
    }
    #expect(reason.contains("\(nobody)") || reason.contains("connecting"))
    try await link.close()

    let unnamed = try await LinkDriver(RedisSettings(url: "redis://no-such-host.invalid"))
    try await eventually("down") { unnamed.lastReason != nil }
    #expect(unnamed.lastReason?.description.contains("no-such-host.invalid") == true, "\(unnamed.states)")
    try await unnamed.close()
  }

  @Test func comesBackAfterARestart() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    server.stop()
    try await eventually("down") { link.lastReason != nil }
    guard case .failure(.notConnected) = try await link.send("PING") else {
      Issue.record("a command ran without a server")
      return
    }
    try await server.start()
    try await link.becomesReady()
    #expect(try await link.send("PING") == .success(.status("PONG")))
    #expect(try await link.run { $0.reconnects } == 1)
    try await link.close()
  }

  @Test func failsWhatWaitsWhenTheLinkIsLost() async throws {
    let server = try await RedisServer()
    var settings = server.settings
    settings.commandTimeout = .seconds(60)
    let link = try await LinkDriver.ready(settings)
    server.freeze()
    async let replies = link.send(all: Array(repeating: ["PING"], count: 50))
    try await eventually("all wait") { try await link.run { $0.pending } == 50 }
    server.stop()
    for reply in try await replies {
      guard case .failure(let error) = reply, case .connectionLost = error else {
        Issue.record("\(reply)")
        continue
      }
      #expect(error.mayHaveRun)
    }
    try await link.close()
  }

  @Test func aSlowAnswerFailsItsCommandAndKeepsTheLink() async throws {
    let server = try await RedisServer()
    var settings = server.settings
    settings.commandTimeout = .milliseconds(400)
    let link = try await LinkDriver.ready(settings)
    let other = try await LinkDriver.ready(server.settings)
    #expect(try await other.send("CLIENT", "PAUSE", "600", "ALL") == .success(.status("OK")))
    let start = NIODeadline.now()
    guard case .failure(.timeout) = try await link.send("SET", "a", "1") else {
      Issue.record("it was answered")
      return
    }
    #expect(NIODeadline.now() - start >= .milliseconds(400))
    // The late answer is not mistaken for that of the next command.
    try await eventually("the late answer") { try await link.run { $0.pending } == 0 }
    #expect(try await link.send("GET", "a").get().string == "1")
    #expect(try await link.run { $0.reconnects } == 0)
    try await link.close()
    try await other.close()
  }

  @Test func aFrozenServerIsGivenUp() async throws {
    let server = try await RedisServer()
    var settings = server.settings
    settings.commandTimeout = .milliseconds(200)
    settings.connectTimeout = .milliseconds(300)
    let link = try await LinkDriver.ready(settings)
    server.freeze()
    guard case .failure(.timeout) = try await link.send("PING") else {
      Issue.record("it was answered")
      return
    }
    try await eventually("given up") { link.lastReason != nil }
    guard case .timeout = link.lastReason else {
      Issue.record("\(link.states)")
      return
    }
    server.thaw()
    try await link.becomesReady()
    #expect(try await link.send("PING") == .success(.status("PONG")))
    try await link.close()
  }

  @Test func theQueueIsBounded() async throws {
    let server = try await RedisServer()
    var settings = server.settings
    settings.maximumPending = 100
    let link = try await LinkDriver.ready(settings)
    let replies = try await link.send(all: Array(repeating: ["PING"], count: 150))
    #expect(replies.prefix(100).allSatisfy { $0 == .success(.status("PONG")) })
    #expect(replies.suffix(50).allSatisfy { $0 == .failure(.overloaded(pending: 100)) })
    #expect(try await link.send("PING") == .success(.status("PONG")))
    try await link.close()
  }

  @Test func closingFailsWhatWaits() async throws {
    let server = try await RedisServer()
    let link = try await LinkDriver.ready(server.settings)
    server.freeze()
    async let reply = link.send("PING")
    try await eventually("it waits") { try await link.run { $0.pending } == 1 }
    try await link.close()
    #expect(try await reply == .failure(.closed))
    #expect(try await link.send("PING") == .failure(.closed))
    #expect(link.state == .closed)
  }
}
