import Brokering
import NIOCore
import RedisClient
import TestRedis
import Testing
import Wire

/// Another server takes over, or this one wants to know who asks.
@Suite(.serialized)
struct RedisFailoverTests {
  private let channel = ChannelName("room:a")!

  /// The primary becomes a replica of another server, to which its name leads from now on.
  @Test func aFailoverIsFollowed() async throws {
    let cluster = try await RedisCluster()
    let other = try await RedisServer()
    let second = RedisCluster(other)
    _ = try await second.command("REPLICAOF", "127.0.0.1", .integer(cluster.server.port))
    try await eventually("replicated") {
      try await second.command("INFO", "replication").string?.contains("master_link_status:up") ?? false
    }
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (broker, port) = try await cluster.node("one", at: proxy.address)
    _ = try await port.attach(channel)
    for number in 1...10 { _ = try await port.publish(channel, "[\(number),0]") }
    try await eventually("replicated") {
      try await second.command("XLEN", "sluice:{room:a}:log") == .integer(10)
    }

    // Its name still leads to the old one for a while.
    _ = try await second.command("REPLICAOF", "NO", "ONE")
    _ = try await cluster.command("REPLICAOF", "127.0.0.1", .integer(other.port))
    let error = await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "[11,0]") }
    #expect(error?.kind == .unavailable)
    try await eventually("an operator sees it") {
      broker.health.problem?.contains("replica") == true && !broker.health.canPublish
    }
    proxy.retarget(to: other.address)
    try await eventually("a publish is taken") { (try? await port.publish(channel, "[12,0]")) != nil }
    try await eventually("ready") { broker.health.isReady }
    #expect(try await second.command("XLEN", "sluice:{room:a}:log") == .integer(11))
    try await port.wait { recorder in
      recorder.items.contains {
        if case .message(let message) = $0.1 { String(buffer: message.data) == "[12,0]" } else { false }
      }
    }
    await broker.shutdown()
    try await proxy.stop()
  }

  @Test func rightsThatAreTakenAwayAreMissedAloud() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    _ = try await port.attach(channel)
    _ = try await port.publish(channel, "[1,0]")
    _ = try await cluster.command("ACL", "SETUSER", "default", "-evalsha", "-eval")
    let error = await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "[2,0]") }
    #expect(error?.kind == .unavailable)
    #expect(error?.reason.contains("NOPERM") == true, "\(String(describing: error))")
    try await eventually("an operator sees it") { broker.health.problem?.contains("NOPERM") == true }
    _ = try await cluster.command("ACL", "SETUSER", "default", "+@all")
    try await eventually("a publish is taken") { (try? await port.publish(channel, "[3,0]")) != nil }
    try await eventually("ready") { broker.health.isReady }
    await broker.shutdown()
  }

  @Test func aPasswordThatChangesIsMissedAloud() async throws {
    let cluster = try await RedisCluster()
    _ = try await cluster.command("ACL", "SETUSER", "gateway", "on", ">first", "~*", "&*", "+@all")
    let (broker, port) = try await cluster.node("one") { settings in
      settings.redis.user = "gateway"
      settings.redis.password = "first"
    }
    _ = try await port.attach(channel)
    _ = try await cluster.command("ACL", "SETUSER", "gateway", "resetpass", ">second")
    _ = try await cluster.command("CLIENT", "KILL", "USER", "gateway")
    try await eventually("an operator sees it") { broker.health.problem?.contains("WRONGPASS") == true }
    await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "[1,0]") }
    _ = try await cluster.command("ACL", "SETUSER", "gateway", ">first")
    try await eventually("ready") { broker.health.isReady }
    _ = try await port.publish(channel, "[2,0]")
    await broker.shutdown()
  }
}
