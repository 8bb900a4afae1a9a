import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

/// What is told of presence after a fault is the truth.
@Suite(.serialized)
struct RedisPresenceFaultTests {
  private let channel = ChannelName("room:a")!

  private func member(_ id: String) -> Member { Member(id: id, user: "user-\(id)", since: 1) }

  private func leaves(_ port: PortProbe) async throws -> [String] {
    try await port.items(channel).filter { $0.hasPrefix("-") }.sorted()
  }

  @Test func whatHappenedWhileNobodyHeardIsTold() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (one, listener) = try await cluster.node("one", at: proxy.address)
    let (two, port) = try await cluster.node("two")
    try await listener.listen(channel)
    try await port.join(channel, member("a"), holder: 1)
    try await port.join(channel, member("b"), holder: 2)
    try await listener.wait { $0.items.count == 2 }
    proxy.cut()
    try await listener.wait { $0.losses == 1 }
    try await port.leave(channel, "a", holder: 1)
    try await port.join(channel, member("c"), holder: 3)
    proxy.mend()
    try await listener.wait { $0.items.count >= 4 }
    #expect(Set(try await listener.items(channel).suffix(2)) == ["-a", "+c"])
    #expect(try await listener.heard { $0.presenceLosses } == 0)
    let told = try await listener.heard {
      $0.items.compactMap { if case .leave(let who) = $0.1 { who } else { nil } }
    }
    #expect(told == [member("a")], "a leave says who it was")
    await one.shutdown()
    await two.shutdown()
    try await proxy.stop()
  }

  /// Redis is told of some at a time, until it knows of all.
  @Test func manyWhoLeaveDuringAnOutageAreGoneAfterIt() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (broker, port) = try await cluster.node("one", at: proxy.address) { settings in
      settings.lease = .minutes(10)
      settings.rejoin = .milliseconds(500)
    }
    let everybody = (0..<3_500).map { member("m\($0)") }
    try await port.join(channel, all: everybody)
    proxy.cut()
    try await eventually("an outage") { !broker.health.canPublish }
    for (index, member) in everybody.enumerated() {
      await #expect(throws: BrokerError.self) {
        try await port.leave(channel, member.id, holder: UInt64(index))
      }
    }
    proxy.mend()
    try await eventually("all have left") {
      (try? await port.members(channel).count) == 0
    }
    await broker.shutdown()
    try await proxy.stop()
  }

  /// A leave does not overtake the join before it, whichever scripts Redis has lost and learnt again.
  @Test func whoLeavesAtOnceStaysNowhere() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    for round in 0..<20 {
      try await port.join(channel, member("known"), holder: 1)
      _ = try await cluster.command("SCRIPT", "FLUSH")
      // Redis knows leaves again, but not yet joins, if these are two things to it.
      if round.isMultiple(of: 2) { try await port.leave(channel, "known", holder: 1) }
      let (channel, brief) = (channel, member("brief"))
      let _: Bool = try await port.ask { port, done in
        port.join(channel, brief, holder: HolderID(serial: 2)) { _ in }
        port.leave(channel, memberID: brief.id, holder: HolderID(serial: 2)) { done($0.map { true }) }
      }
      #expect(try await !port.members(channel).members.contains { $0.id == "brief" })
    }
    await broker.shutdown()
  }

  /// Redis forgets everything; one node does not come back, and on another a member leaves meanwhile.
  @Test func whoDoesNotReturnAfterALossOfEverythingLeaves() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (one, listener) = try await cluster.node("one")
    let (two, port) = try await cluster.node("two")
    let (three, doomed) = try await cluster.node("three", at: proxy.address)
    try await listener.listen(channel)
    try await port.join(channel, member("stays"), holder: 1)
    try await port.join(channel, member("goes"), holder: 2)
    try await doomed.join(channel, member("dies"), holder: 3)
    try await listener.wait { $0.items.count == 3 }
    cluster.server.stop()
    try await eventually("it is noticed") { !two.health.canPublish }
    proxy.cut()
    await #expect(throws: BrokerError.self) { try await port.leave(channel, "goes", holder: 2) }
    try await cluster.server.start()
    let since = ContinuousClock.now
    try await port.wait { $0.presenceLosses == 1 }
    try await port.join(channel, member("stays"), holder: 1)
    try await listener.wait { $0.audience(ChannelName("room:a")!) == ["stays"] }
    let took = ContinuousClock.now - since
    print("  presence was true \(took) after Redis came back empty")
    #expect(took < .seconds(10))
    #expect(try await leaves(listener) == ["-dies", "-goes"])
    #expect(try await listener.members(channel).members == [member("stays")])
    await one.shutdown()
    await two.shutdown()
    await three.shutdown()
    try await proxy.stop()
  }

  /// A server that was started anew may lack the last writes: everybody is joined again, unheard.
  @Test func aRestartWithTheLogIsNotHeard() async throws {
    let cluster = try await RedisCluster(["--appendonly", "yes"])
    let (one, listener) = try await cluster.node("one")
    let (two, port) = try await cluster.node("two")
    try await listener.listen(channel)
    try await port.join(channel, member("a"), holder: 1)
    try await listener.wait { $0.items.count == 1 }
    cluster.server.stop()
    try await eventually("it is noticed") { !two.health.canPublish && !one.health.canPublish }
    try await cluster.server.start()
    try await port.wait { $0.presenceLosses == 1 }
    try await port.join(channel, member("a"), holder: 1)
    let old = "two/1#1"
    try await eventually("the old lease is swept") {
      try await cluster.command("HGET", "sluice:nodes", .string("!\(old)")).string == "swept"
    }
    #expect(try await listener.items(channel) == ["+a"])
    #expect(try await listener.members(channel).members == [member("a")])
    // Its last holder is the new one.
    try await port.leave(channel, "a", holder: 1)
    try await listener.wait { $0.items.count == 2 }
    #expect(try await listener.items(channel) == ["+a", "-a"])
    await one.shutdown()
    await two.shutdown()
  }

  /// A node that was taken for dead goes on in the name of its old lease until it hears of it.
  @Test func whatIsWrittenInTheNameOfASweptLeaseDoesNotStay() async throws {
    let cluster = try await RedisCluster()
    let (one, listener) = try await cluster.node("one") { settings in
      settings.heartbeat = .milliseconds(200)
      settings.lease = .seconds(2)
      settings.sweep = .milliseconds(50)
    }
    let (two, port) = try await cluster.node("two") { settings in
      settings.heartbeat = .seconds(4)
      settings.lease = .seconds(20)
      settings.rejoin = .milliseconds(500)
    }
    try await listener.listen(channel)
    try await port.join(channel, member("early"), holder: 1)
    let past = "\(WallClock.milliseconds() - 1_000) {}"
    _ = try await cluster.command("HSET", "sluice:nodes", "two/1#1", .string(past))
    try await listener.wait { $0.items.count == 2 }
    try await eventually("it is swept") {
      try await cluster.command("HGET", "sluice:nodes", "!two/1#1").string == "swept"
    }
    // It does not know yet.
    #expect(try await port.heard { $0.presenceLosses } == 0)
    try await port.join(channel, member("late"), holder: 2)
    try await port.wait { $0.presenceLosses == 1 }
    try await port.join(channel, member("early"), holder: 1)
    try await listener.wait { $0.items.count == 5 }
    #expect(try await listener.items(channel) == ["+early", "-early", "+late", "+early", "-late"])
    #expect(try await listener.members(channel).members == [member("early")])
    await one.shutdown()
    await two.shutdown()
  }
}
