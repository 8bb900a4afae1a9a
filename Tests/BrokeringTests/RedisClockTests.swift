import Brokering
import NIOCore
import RedisClient
import TestRedis
import Testing
import Wire

/// Redis's clock is set while nodes run. (A node's own clock is in the cluster's tests.)
@Suite
struct RedisClockTests {
  private let channel = ChannelName("room:a")!

  private func quick(_ settings: inout RedisBrokerSettings) {
    settings.heartbeat = .milliseconds(500)
    settings.lease = .seconds(3)
    settings.sweep = .milliseconds(150)
    settings.rejoin = .seconds(1)
  }

  private func leaves(_ port: PortProbe) async throws -> Int {
    try await port.items(channel).count { $0.hasPrefix("-") }
  }

  /// Until every node has had so many heartbeats that without them its lease would have ended twice.
  private func twoLeases(of nodes: Int, by broker: RedisBroker) async throws {
    var silences: [String: TimeAmount] = [:]
    var beats: [String: Int] = [:]
    try await eventually("twelve heartbeats each, of \(beats)", within: .seconds(60)) {
      for record in try await broker.nodes() {
        if let before = silences.updateValue(record.silence, forKey: record.incarnation),
          record.silence < before
        {
          beats[record.incarnation, default: 0] += 1
        }
      }
      return beats.count == nodes && beats.values.allSatisfy { $0 >= 12 }
    }
  }

  @Test(arguments: [1_200, -2_400, 86_400 * 3, -86_400 * 3])
  func noLeaseIsLostByAJump(seconds: Int) async throws {
    let clock = try FakeClock()
    let cluster = RedisCluster(try await RedisServer(clock: clock))
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (one, near) = try await cluster.node("one", quick)
    let (two, far) = try await cluster.node("two", quick)
    let (dead, doomed) = try await cluster.node("dead", at: proxy.address, quick)
    _ = try await near.attach(channel)
    for number in 0..<20 {
      try await far.join(channel, Member(id: "far\(number)", since: 1), holder: UInt64(number))
      try await doomed.join(channel, Member(id: "dead\(number)", since: 1), holder: UInt64(number))
    }
    try await near.wait { $0.items.count == 40 }
    let before = one.clock.milliseconds()

    try clock.set(by: seconds)
    try await twoLeases(of: 3, by: one)
    #expect(one.health.isReady)
    if abs(seconds) < 3_600 {
      #expect(try await leaves(near) == 0)
      #expect(try await near.heard { $0.presenceLosses } == 0)
      #expect(try await far.heard { $0.presenceLosses } == 0)
    } else if seconds > 0 {
      // Presence ran out with the jump: every node is told to join its own again.
      try await far.wait { $0.presenceLosses == 1 }
      try await doomed.wait { $0.presenceLosses == 1 }
      for number in 0..<20 {
        try await far.join(channel, Member(id: "far\(number)", since: 1), holder: UInt64(number))
        try await doomed.join(channel, Member(id: "dead\(number)", since: 1), holder: UInt64(number))
      }
    }
    #expect(try await near.members(channel).count == 40)
    #expect(try await one.nodes().map(\.isAlive) == [true, true, true])
    let shift = one.clock.milliseconds() - before - Int64(seconds) * 1_000
    #expect((0..<60_000).contains(shift), "\(shift)")
    #expect(abs(two.clock.milliseconds() - one.clock.milliseconds()) < 2_000)

    // A key counts once, and a node that dies now is noticed.
    let first = try await near.publish(channel, "1", key: "k")
    #expect(try await far.publish(channel, "1", key: "k").cursor == first.cursor)
    proxy.cut()
    try await eventually("the dead leave") { try await near.members(channel).count == 20 }
    #expect(try await near.members(channel, limit: 50).members.allSatisfy { $0.id.hasPrefix("far") })
    await dead.shutdown()
    await one.shutdown()
    await two.shutdown()
    try await proxy.stop()
  }

  /// A node dies in the moment in which the clock goes back: its lease seems to last for days.
  @Test func whoDiesWithTheJumpIsNoticed() async throws {
    let clock = try FakeClock()
    let cluster = RedisCluster(try await RedisServer(clock: clock))
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (one, near) = try await cluster.node("one", quick)
    let (dead, doomed) = try await cluster.node("dead", at: proxy.address, quick)
    _ = try await near.attach(channel)
    try await doomed.join(channel, Member(id: "m", since: 1), holder: 1)
    try await near.wait { $0.items.count == 1 }
    proxy.cut()
    try clock.set(by: -86_400)
    try await eventually("it leaves") { try await near.heard { $0.items.count } == 2 }
    #expect(try await near.items(channel) == ["+m", "-m"])
    // Its lease is ended when nothing is left of it, a moment after the last leave.
    try await eventually("it is dead") {
      try await one.nodes().first { $0.incarnation == "dead/1" }?.isAlive == false
    }
    await dead.shutdown()
    await one.shutdown()
    try await proxy.stop()
  }
}
