import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

/// What ten thousand members cost.
@Suite(.serialized)
struct RedisPresenceCostTests {
  private static let members = 10_000
  private let crowd = ChannelName("crowd:a")!

  /// A node without heartbeats, whose commands are those of the test alone.
  private func quiet(_ settings: inout RedisBrokerSettings) {
    settings.heartbeat = .hours(1)
    settings.lease = .hours(2)
    settings.sweep = .hours(1)
  }

  /// How often each command was executed, also by scripts, since the last reset.
  private func calls(_ cluster: RedisCluster) async throws -> [String: Int] {
    let text = try #require(try await cluster.command("INFO", "commandstats").string)
    var calls: [String: Int] = [:]
    for line in text.split(separator: "\r\n") where line.hasPrefix("cmdstat_") {
      let parts = line.dropFirst(8).split(separator: ":")
      calls[String(parts[0])] = Int(parts[1].split(separator: "=")[1].split(separator: ",")[0])
    }
    for name in ["info", "config", "hello", "client", "select", "config|resetstat"] { calls[name] = nil }
    return calls
  }

  @Test func aNewcomerCostsOnePage() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one", quiet)
    let (other, far) = try await cluster.node("two", quiet)
    let everybody = (0..<RedisPresenceCostTests.members).map { number in
      Member(id: "m\(1_000_000 + number)", user: "u\(number / 3)", since: 1)
    }
    try await port.join(crowd, all: everybody)

    _ = try await cluster.command("CONFIG", "RESETSTAT")
    try await far.join(crowd, Member(id: "newcomer", user: "u0", since: 2), holder: 1)
    let page = try await far.members(crowd, limit: 100)
    var cost = try await calls(cluster)
    print("  a newcomer among \(everybody.count): \(cost.sorted { $0.key < $1.key })")
    #expect(page.count == everybody.count + 1 && page.members.count == 100)
    #expect(page.users == (everybody.count + 2) / 3)
    #expect(cost["zrangebylex"] == 1 && cost["hmget"] == 1)
    let reading = [
      "hgetall", "hkeys", "hvals", "smembers", "zrange", "hscan", "zscan", "keys", "scan", "sort",
    ]
    #expect(reading.allSatisfy { cost[$0] == nil })
    #expect(cost.values.reduce(0, +) <= 24, "\(cost)")

    // Every page costs the same, wherever it lies.
    var after: String?
    var seen = 0
    var pages = 0
    _ = try await cluster.command("CONFIG", "RESETSTAT")
    repeat {
      let page = try await far.members(crowd, limit: 1_000, after: after)
      seen += page.members.count
      pages += 1
      after = page.next
    } while after != nil
    cost = try await calls(cluster)
    #expect(seen == everybody.count + 1 && pages == 11)
    #expect(cost["zrangebylex"] == pages && cost["hmget"] == pages && cost["zcard"] == pages)

    // A node whose clients hear joins and leaves reads all members once, not for each of them.
    _ = try await cluster.command("CONFIG", "RESETSTAT")
    try await far.listen(crowd)
    try await eventually("the roster is read") { try await calls(cluster)["zrangebylex"] == 11 }
    for _ in 0..<20 { try await far.hear(crowd) }
    _ = try await far.members(crowd, limit: 1)
    #expect(try await calls(cluster)["zrangebylex"] == 12)
    await broker.shutdown()
    await other.shutdown()
  }

  /// A user with three tabs is one user, until the last of them is closed.
  @Test func threeTabsAreOneUser() async throws {
    let cluster = try await RedisCluster()
    let (one, near) = try await cluster.node("one")
    let (two, far) = try await cluster.node("two")
    let room = ChannelName("room:tabs")!
    try await far.listen(room)
    for (number, port) in [near, near, far].enumerated() {
      try await port.join(room, Member(id: "tab\(number)", user: "ada", since: 1), holder: UInt64(number))
    }
    #expect(try await near.members(room).users == 1)
    #expect(try await near.members(room).count == 3)
    try await near.leave(room, "tab0", holder: 0)
    #expect(try await far.members(room).users == 1)
    // The second goes with its node.
    await one.shutdown()
    #expect(try await far.members(room).users == 1)
    #expect(try await far.members(room).count == 1)
    try await far.leave(room, "tab2", holder: 2)
    #expect(try await far.members(room).users == 0)
    try await far.wait { $0.items.count == 6 }
    // Whoever applies joins and leaves knows which tab was a user's last: they name the user.
    let users = try await far.heard {
      $0.items.compactMap { if case .leave(let who) = $0.1 { who.user } else { nil } }
    }
    #expect(users == ["ada", "ada", "ada"])
    await two.shutdown()
  }

  @Test func wherePresenceIsSilentNothingIsPublished() async throws {
    let cluster = try await RedisCluster()
    let (one, port) = try await cluster.node("one", quiet)
    let silent = ChannelName("silent:a")!
    try await port.listen(silent)
    _ = try await cluster.command("CONFIG", "RESETSTAT")
    try await port.join(silent, Member(id: "m", since: 1), holder: 1)
    #expect(try await port.members(silent).count == 1)
    try await port.leave(silent, "m", holder: 1)
    #expect(try await port.members(silent).count == 0)
    let cost = try await calls(cluster)
    #expect(cost["publish"] == nil, "\(cost)")
    #expect(try await port.items(silent) == [])
    await one.shutdown()
  }
}
