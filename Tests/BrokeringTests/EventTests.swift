import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

/// What a cluster notes for a backend: each event once, in its order, whoever dies.
@Suite(.serialized)
struct EventTests {
  private static let all = Set(ClusterEvent.Kind.allCases)
  private static let turn = TimeAmount.seconds(30)
  private let room = ChannelName("room:a")!

  private static func short(_ settings: inout RedisBrokerSettings) {
    settings.heartbeat = .milliseconds(200)
    settings.lease = .seconds(1)
    // Whoever looks too rarely judges nobody.
    settings.sweep = .milliseconds(100)
  }

  /// A node that notes everything, and a port of it.
  private func node(
    _ name: String,
    of cluster: RedisCluster,
    through proxy: CuttableProxy? = nil
  ) async throws -> (broker: RedisBroker, port: PortProbe) {
    let broker = cluster.broker(name, at: proxy?.address, EventTests.short)
    broker.note(EventTests.all)
    try await broker.start()
    return (broker, try await PortProbe.make(broker, on: MultiThreadedEventLoopGroup.singleton.next()))
  }

  private func attach(_ port: PortProbe, _ channel: ChannelName) async throws {
    _ = try await port.ask { port, done in port.attach(channel) { done($0) } }
  }

  private func detach(_ port: PortProbe, _ channel: ChannelName) async throws {
    try await port.ask { port, done in
      port.detach(channel)
      done(.success(()))
    }
  }

  private func detail(_ name: String) -> ByteBuffer { ByteBuffer(string: #"{"member":"\#(name)"}"#) }

  /// Waits for events, which are taken out of the queue; each as its kind and what it is about.
  private func take(_ count: Int, from broker: any Broker) async throws -> [String] {
    var taken: [String] = []
    try await eventually("\(count) events") {
      let events = try await broker.events(atMost: 10, for: EventTests.turn)
      try await broker.delivered(events)
      taken += events.map { event in
        let object = try? JSONObject(event.detail)
        let about = object?["channel"]?.string ?? object?["member"]?.string ?? "?"
        return "\(event.kind.rawValue) \(about)"
      }
      return taken.count >= count
    }
    return taken
  }

  private func noMore(_ broker: any Broker) async throws -> Bool {
    try await broker.events(atMost: 10, for: EventTests.turn).isEmpty
  }

  @Test func aNodeAloneKeepsItsEventsUntilTheyAreDelivered() async throws {
    let broker = MemoryBroker(namespaces: BrokerSuite.namespaces, incarnation: "one/1")
    broker.note(EventTests.all)
    let group = MultiThreadedEventLoopGroup.singleton
    let (one, other) = (
      try await PortProbe.make(broker, on: group.next()), try await PortProbe.make(broker, on: group.next())
    )
    broker.connected(HolderID(serial: 1), detail: detail("m1"))
    try await attach(one, room)
    try await attach(other, room)
    try await detach(one, room)
    try await detach(other, room)
    broker.disconnected(HolderID(serial: 1))
    broker.disconnected(HolderID(serial: 1))
    let first = try await broker.events(atMost: 2, for: EventTests.turn)
    #expect(first.map(\.kind) == [.channelOccupied, .channelVacated])
    #expect(try await broker.events(atMost: 2, for: EventTests.turn) == first)
    #expect(
      try await take(3, from: broker) == [
        "channel-occupied room:a", "channel-vacated room:a", "disconnect m1",
      ]
    )
    #expect(try await noMore(broker))
  }

  @Test func nodesNoteTogetherAndOneDelivers() async throws {
    let cluster = try await RedisCluster()
    let (first, one) = try await node("one", of: cluster)
    let (second, other) = try await node("two", of: cluster)
    try await attach(one, room)
    #expect(try await take(1, from: first) == ["channel-occupied room:a"])
    try await attach(other, room)
    try await detach(one, room)
    first.connected(HolderID(serial: 1), detail: detail("m1"))
    second.connected(HolderID(serial: 1), detail: detail("m2"))
    first.disconnected(HolderID(serial: 1))
    try await eventually("an event") { try await !noMore(first) }
    let waiting = try await first.events(atMost: 10, for: EventTests.turn)
    // The other one does not deliver as long as this one does.
    #expect(try await second.events(atMost: 10, for: EventTests.turn).isEmpty)
    #expect(try await first.events(atMost: 0, for: .zero).isEmpty)
    #expect(try await second.events(atMost: 10, for: EventTests.turn) == waiting)
    try await detach(other, room)
    #expect(try await take(2, from: second) == ["disconnect m1", "channel-vacated room:a"])
    // A node that stops ends what it has.
    await second.shutdown()
    try await cluster.forgetDeliverer()
    #expect(try await take(1, from: first) == ["disconnect m2"])
    await first.shutdown()
  }

  @Test func aDeadNodesEventsAreToldByTheOthers() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (living, one) = try await node("one", of: cluster)
    let (dead, other) = try await node("two", of: cluster, through: proxy)
    let lone = ChannelName("room:b")!
    try await attach(one, room)
    try await attach(other, room)
    try await attach(other, lone)
    dead.connected(HolderID(serial: 7), detail: detail("m7"))
    #expect(
      try await take(2, from: living).sorted() == ["channel-occupied room:a", "channel-occupied room:b"]
    )
    try await eventually("the connection is noted") {
      try await cluster.command("HLEN", "sluice:{events}:open").integer == 3
    }
    proxy.cut()
    #expect(try await take(2, from: living).sorted() == ["channel-vacated room:b", "disconnect m7"])
    // It was not dead after all: what it has is there anew.
    proxy.mend()
    #expect(try await take(1, from: living) == ["channel-occupied room:b"])
    dead.disconnected(HolderID(serial: 7))
    #expect(try await take(1, from: living) == ["disconnect m7"])
    await dead.shutdown()
    await living.shutdown()
    try await proxy.stop()
  }

  @Test func whatHappensWithoutRedisIsToldLater() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let broker = cluster.broker("one", at: proxy.address)
    broker.note(EventTests.all)
    try await broker.start()
    broker.connected(HolderID(serial: 1), detail: detail("m1"))
    try await eventually("it is noted") {
      try await cluster.command("HLEN", "sluice:{events}:open").integer == 1
    }
    proxy.cut()
    try await eventually("a broken link") { !broker.health.canPublish }
    broker.disconnected(HolderID(serial: 1))
    broker.connected(HolderID(serial: 2), detail: detail("m2"))
    broker.disconnected(HolderID(serial: 2))
    proxy.mend()
    try await eventually("a link") { broker.health.canPublish }
    #expect(try await take(2, from: broker) == ["disconnect m1", "disconnect m2"])
    #expect(try await noMore(broker))
    await broker.shutdown()
    try await proxy.stop()
  }

  @Test func aRedisThatForgetsIsToldAnew() async throws {
    let cluster = try await RedisCluster()
    let (broker, _) = try await node("one", of: cluster)
    broker.connected(HolderID(serial: 1), detail: detail("m1"))
    let isNoted = { try await cluster.command("HLEN", "sluice:{events}:open").integer == 1 }
    try await eventually("it is noted", isNoted)
    _ = try await cluster.command("FLUSHALL")
    try await eventually("it is noted anew", isNoted)
    broker.disconnected(HolderID(serial: 1))
    #expect(try await take(1, from: broker) == ["disconnect m1"])
    await broker.shutdown()
  }

  /// It ends after Redis went, and before Redis came back without anything.
  @Test func whatEndsWhileRedisLosesEverythingIsTold() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await node("one", of: cluster)
    broker.connected(HolderID(serial: 1), detail: detail("m1"))
    try await eventually("it is noted") {
      try await cluster.command("HLEN", "sluice:{events}:open").integer == 1
    }
    cluster.server.stop()
    try await eventually("Redis is away") { !broker.health.isReady }
    broker.disconnected(HolderID(serial: 1))
    try await cluster.server.start()
    try await eventually("Redis is back") { broker.health.isReady }
    #expect(try await take(1, from: broker) == ["disconnect m1"])
    _ = try await port.publish(room, "1")
    await broker.shutdown()
  }
}

extension RedisCluster {
  /// As when its time is over.
  fileprivate func forgetDeliverer() async throws {
    _ = try await command("DEL", "sluice:{events}:deliverer")
  }
}
