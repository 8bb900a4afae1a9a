import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

/// Who goes over to another node while Redis fails is not heard to leave, and who leaves is heard once.
@Suite(.serialized)
struct RedisMoveTests {
  private let channel = ChannelName("room:a")!
  private let moves = Member(id: "moves", user: "user", since: 1)
  private let goes = Member(id: "goes", user: "user", since: 1)

  /// Never dead, and soon back.
  private func lively(_ settings: inout RedisBrokerSettings) {
    settings.heartbeat = .milliseconds(500)
    settings.lease = .seconds(60)
    settings.redis.backoffMaximum = .milliseconds(200)
  }

  /// The old node of both takes them out, too early.
  private func takeOut(_ old: PortProbe) async throws {
    await #expect(throws: BrokerError.self) { try await old.leave(channel, "moves", holder: 1) }
    await #expect(throws: BrokerError.self) { try await old.leave(channel, "goes", holder: 2) }
  }

  private func joinBoth(_ old: PortProbe) async throws {
    try await old.join(channel, moves, holder: 1)
    try await old.join(channel, goes, holder: 2)
  }

  /// In the end one has left, and the other has only its new holder.
  private func oneHasLeft(_ listener: PortProbe, in cluster: RedisCluster) async throws {
    try await listener.wait {
      $0.items.contains { if case .leave(let member) = $0.1 { member.id == "goes" } else { false } }
    }
    try await eventually("the old holder is gone") {
      try await cluster.command("ZCARD", "sluice:{room:a}:presence:holders") == .integer(1)
    }
    #expect(try await listener.items(channel).filter { $0.hasPrefix("-") } == ["-goes"])
    #expect(try await listener.members(channel).members == [moves])
  }

  @Test func redisForgetsEverybodyBeforeTheGraceIsOver() async throws {
    let cluster = try await RedisCluster()
    let (listening, listener) = try await cluster.node("listening", lively)
    let (one, old) = try await cluster.node("one", lively)
    let (two, new) = try await cluster.node("two", lively)
    try await listener.listen(channel)
    try await joinBoth(old)
    try await new.join(channel, moves, holder: 3)
    try await listener.wait { $0.items.count == 2 }
    _ = try await cluster.command("FLUSHALL")
    try await old.wait { $0.presenceLosses == 1 }
    // Those too whose grace is nearly over; and then it is.
    try await joinBoth(old)
    try await takeOut(old)
    try await new.wait { $0.presenceLosses == 1 }
    try await new.join(channel, moves, holder: 3)
    try await oneHasLeft(listener, in: cluster)
    await one.shutdown()
    await two.shutdown()
    await listening.shutdown()
  }

  @Test func theOldNodeFindsRedisFirst() async throws {
    let cluster = try await RedisCluster()
    let early = try await CuttableProxy(to: cluster.server.address)
    let late = try await CuttableProxy(to: cluster.server.address)
    let (listening, listener) = try await cluster.node("listening", lively)
    let (one, old) = try await cluster.node("one", at: early.address, lively)
    let (two, new) = try await cluster.node("two", at: late.address, lively)
    try await listener.listen(channel)
    try await joinBoth(old)
    try await listener.wait { $0.items.count == 2 }
    early.cut()
    late.cut()
    try await eventually("it is noticed") { !one.health.canPublish && !two.health.canPublish }
    await #expect(throws: BrokerError.self) { try await new.join(channel, moves, holder: 3) }
    try await takeOut(old)
    early.mend()
    try await eventually("the old node is back") { one.health.canPublish }
    late.mend()
    try await eventually("joined on the new node") {
      (try? await new.join(channel, moves, holder: 3)) != nil
    }
    try await oneHasLeft(listener, in: cluster)
    await one.shutdown()
    await two.shutdown()
    await listening.shutdown()
    try await early.stop()
    try await late.stop()
  }

  /// What was sent to it meanwhile is done at once when it goes on.
  @Test func redisStandsStill() async throws {
    let cluster = try await RedisCluster()
    let late = try await CuttableProxy(to: cluster.server.address)
    let (listening, listener) = try await cluster.node("listening", lively)
    let (one, old) = try await cluster.node("one", lively)
    let (two, new) = try await cluster.node("two", at: late.address, lively)
    try await listener.listen(channel)
    try await joinBoth(old)
    try await listener.wait { $0.items.count == 2 }
    late.cut()
    cluster.server.freeze()
    try await eventually("it is noticed") { !one.health.canPublish && !two.health.canPublish }
    await #expect(throws: BrokerError.self) { try await new.join(channel, moves, holder: 3) }
    try await takeOut(old)
    cluster.server.thaw()
    try await eventually("the old node is back") { one.health.canPublish }
    late.mend()
    try await eventually("joined on the new node") {
      (try? await new.join(channel, moves, holder: 3)) != nil
    }
    try await oneHasLeft(listener, in: cluster)
    await one.shutdown()
    await two.shutdown()
    await listening.shutdown()
    try await late.stop()
  }

  /// Whoever sweeps after it tells of those who have not come back.
  @Test func theOldNodeStopsBeforeItMayTell() async throws {
    let cluster = try await RedisCluster()
    let mortal: (inout RedisBrokerSettings) -> Void = { settings in
      lively(&settings)
      settings.lease = .seconds(3)
      settings.sweep = .milliseconds(150)
    }
    let (listening, listener) = try await cluster.node("listening", mortal)
    let (one, old) = try await cluster.node("one", mortal)
    let (two, new) = try await cluster.node("two", mortal)
    try await listener.listen(channel)
    try await joinBoth(old)
    try await new.join(channel, moves, holder: 3)
    try await listener.wait { $0.items.count == 2 }
    _ = try await cluster.command("FLUSHALL")
    try await old.wait { $0.presenceLosses == 1 }
    try await joinBoth(old)
    await one.shutdown()
    try await new.wait { $0.presenceLosses == 1 }
    try await new.join(channel, moves, holder: 3)
    try await oneHasLeft(listener, in: cluster)
    await two.shutdown()
    await listening.shutdown()
  }
}
