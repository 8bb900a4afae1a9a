import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

/// Redis goes, comes back, or is not heard; nodes die.
@Suite(.serialized)
struct RedisFaultTests {
  private let channel = ChannelName("room:a")!

  /// Short enough for a test, long enough for two busy cores.
  private func quick(_ settings: inout RedisBrokerSettings) {
    settings.heartbeat = .milliseconds(500)
    settings.lease = .seconds(3)
    settings.sweep = .milliseconds(150)
  }

  @Test func aCutFeedIsRestored() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    _ = try await port.attach(channel)
    for round in 1...3 {
      _ = try await cluster.command("CLIENT", "KILL", "TYPE", "pubsub")
      try await port.wait { $0.losses == round && $0.restorations == round }
      _ = try await port.publish(channel, "\(round)")
      try await port.wait { $0.items.count == round }
    }
    #expect(try await port.heard { $0.presenceLosses } == 0)
    await broker.shutdown()
  }

  @Test func aRestartWithNothingIsNoticed() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let before = try #require(try await port.attach(channel))
    _ = try await port.publish(channel, "1")
    try await port.join(channel, Member(id: "m", since: 1), holder: 1)
    cluster.server.stop()
    try await eventually("not ready") { !broker.health.canPublish && !broker.health.isFed }
    #expect(broker.health.problem?.isEmpty == false)
    for _ in 0..<3 {
      let error = await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "2") }
      #expect(error?.kind == .unavailable)
      await #expect(throws: BrokerError.self) { _ = try await port.attach(ChannelName("room:b")!) }
      await #expect(throws: BrokerError.self) { _ = try await port.members(channel) }
      await #expect(throws: BrokerError.self) { _ = try await broker.nodes() }
    }
    try await cluster.server.start()
    try await port.wait { $0.restorations >= 1 }
    #expect(try await port.heard { $0.presenceLosses } == 1)
    try await eventually("ready again") { broker.health.isReady }
    let after = try await port.verify(channel, MessageMark(cursor: Cursor(before.epoch, 1), time: 1))
    #expect(after.epoch != before.epoch && after.tail == 0)
    #expect(try await port.publish(channel, "2").cursor == Cursor(after.epoch, 1))
    try await port.join(channel, Member(id: "m", since: 1), holder: 1)
    #expect(try await port.members(channel).count == 1)
    #expect(try await port.attach(ChannelName("room:b")!) != nil)
    try await port.wait { $0.items.count { $0.0 == ChannelName("room:a")! } >= 4 }
    #expect(try await port.items(channel) == ["1:1", "+m", "1:2", "+m"])
    await broker.shutdown()
  }

  @Test func aFrozenRedisIsSurvived() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one") { settings in
      settings.redis.commandTimeout = .seconds(1)
      settings.redis.feedSilence = .seconds(2)
    }
    _ = try await port.attach(channel)
    cluster.server.freeze()
    let error = await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "1") }
    #expect(error?.kind == .unavailable)
    try await port.wait { $0.losses >= 1 }
    #expect(!broker.health.isFed)
    cluster.server.thaw()
    try await port.wait { $0.restorations >= 1 }
    try await eventually("a publish works") { (try? await port.publish(channel, "2")) != nil }
    try await eventually("ready") { broker.health.isReady }
    await broker.shutdown()
  }

  /// A feed whose connection lives and answers, yet brings nothing.
  @Test func aDeafFeedIsRebuilt() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (broker, port) = try await cluster.node("one", at: proxy.address) { settings in
      quick(&settings)
      settings.probe = .seconds(1)
      settings.redis.feedSilence = .seconds(3)
    }
    _ = try await port.attach(channel)
    proxy.deafen(true)
    try await port.wait { $0.losses >= 1 }
    #expect(!broker.health.isFed)
    #expect(broker.health.problem != nil)
    proxy.deafen(false)
    try await port.wait { $0.restorations >= 1 }
    _ = try await port.publish(channel, "1")
    try await port.wait { $0.items.count == 1 }
    await broker.shutdown()
    try await proxy.stop()
  }

  /// A node without a sign of life: its members leave, once each. When it returns it tells them anew.
  @Test func aDeadNodeIsSwept() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (dead, doomed) = try await cluster.node("dead", at: proxy.address, quick)
    let (one, near) = try await cluster.node("one", quick)
    let (two, far) = try await cluster.node("two", quick)
    _ = try await near.attach(channel)
    for number in 0..<1_200 {
      try await doomed.join(
        channel,
        Member(id: "m\(number)", user: "u\(number % 10)", since: 1),
        holder: UInt64(number)
      )
    }
    for number in 0..<30 {
      try await doomed.join(
        ChannelName("other:\(number)")!,
        Member(id: "m", since: 1),
        holder: UInt64(number)
      )
    }
    // One that has also a holder elsewhere stays.
    try await far.join(channel, Member(id: "m7", user: "u7", since: 1), holder: 1)
    try await near.wait { $0.items.count == 1_200 }
    proxy.cut()
    try await near.wait { $0.items.count >= 1_200 + 1_199 }
    let left = try await near.items(channel).dropFirst(1_200)
    #expect(Set(left) == Set((0..<1_200).filter { $0 != 7 }.map { "-m\($0)" }))
    #expect(left.count == 1_199)
    try await eventually("the other channels are swept") {
      try await near.members(ChannelName("other:29")!).count == 0
    }
    let page = try await near.members(channel)
    #expect(page.members.map(\.id) == ["m7"])
    #expect(page.users == 1 && page.count == 1)
    #expect(try await one.nodes().first { $0.incarnation == "dead/1" }?.isAlive == false)
    #expect(!dead.health.isReady)

    proxy.mend()
    try await doomed.wait { $0.presenceLosses >= 1 }
    try await doomed.join(channel, Member(id: "m1", since: 1), holder: 1)
    #expect(try await far.members(channel).members.map(\.id) == ["m1", "m7"])
    #expect(try await one.nodes().map(\.isAlive) == [true, true, true])
    await dead.shutdown()
    await two.shutdown()
    // The one that was just back leaves the rest to the others.
    try await eventually("nobody is left") { try await near.members(channel).count == 0 }
    await one.shutdown()
    try await proxy.stop()
  }

  @Test func shuttingDownLeavesNothingOfPresence() async throws {
    let cluster = try await RedisCluster()
    let (one, port) = try await cluster.node("one")
    let (two, far) = try await cluster.node("two")
    _ = try await far.attach(channel)
    for number in 0..<10 {
      try await port.join(channel, Member(id: "m\(number)", since: 1), holder: UInt64(number))
    }
    await one.shutdown()
    try await far.wait { $0.items.count == 20 }
    #expect(try await far.members(channel).count == 0)
    #expect(try await cluster.command("KEYS", "*presence*") == .array([]))
    #expect(try await cluster.command("KEYS", "sluice:lease*") == .array([]))
    await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "1") }
    await two.shutdown()
  }

  /// A leave that Redis could not be told of is told when it can be.
  @Test func aLeaveWithoutRedisIsNotForgotten() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (one, port) = try await cluster.node("one", at: proxy.address)
    let (two, far) = try await cluster.node("two")
    _ = try await far.attach(channel)
    for number in 0..<3 {
      try await port.join(channel, Member(id: "m\(number)", since: 1), holder: UInt64(number))
    }
    proxy.cut()
    try await eventually("it is noticed") { !one.health.canPublish }
    for number in 0..<2 {
      await #expect(throws: BrokerError.self) {
        try await port.leave(channel, "m\(number)", holder: UInt64(number))
      }
    }
    proxy.mend()
    // This one is back before the leave was told.
    try await eventually("joined again") {
      (try? await port.join(channel, Member(id: "m1", since: 1), holder: 1)) != nil
    }
    try await far.wait {
      $0.items.contains { if case .leave(let member) = $0.1 { member.id == "m0" } else { false } }
    }
    #expect(try await far.members(channel).members.map(\.id).contains("m2"))
    #expect(try await !far.members(channel).members.map(\.id).contains("m0"))
    #expect(try await far.members(channel).members.map(\.id).contains("m1"))
    await one.shutdown()
    await two.shutdown()
    try await proxy.stop()
  }

  @Test func aDetachedChannelLingersAndEnds() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one") { settings in
      settings.linger = .seconds(3)
      settings.sweep = .milliseconds(100)
    }
    _ = try await port.attach(channel)
    try await port.detach(channel)
    let feed = "sluice:{room:a}:feed"
    #expect(try await cluster.command("PUBSUB", "NUMSUB", .string(feed)).array?.last == .integer(1))
    try await eventually("unsubscribed") {
      try await cluster.command("PUBSUB", "NUMSUB", .string(feed)).array?.last == .integer(0)
    }
    _ = try await port.attach(channel)
    _ = try await port.publish(channel, "1")
    try await port.wait { $0.items.count == 1 }
    await broker.shutdown()
  }
}
