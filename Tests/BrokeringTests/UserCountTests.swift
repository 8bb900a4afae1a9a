import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

/// How many connections a user has in the cluster.
@Suite(.serialized)
struct UserCountTests {
  private func connect(_ port: PortProbe, _ user: String = "ada", limit: Int = 3) async throws -> Bool {
    try await port.ask { port, done in port.connect(user: user, limit: limit) { done(.success($0)) } }
  }

  private func disconnect(_ port: PortProbe, _ user: String = "ada") async throws {
    try await port.ask { port, done in
      port.disconnect(user: user)
      done(.success(()))
    }
  }

  private func several(_ one: PortProbe, _ other: PortProbe) async throws {
    #expect(try await connect(one))
    #expect(try await connect(other))
    #expect(try await connect(one))
    #expect(try await !connect(other))
    #expect(try await !connect(one))
    #expect(try await connect(other, "grace"))
    try await disconnect(one)
    try await eventually("room") { try await connect(other) }
    #expect(try await !connect(one))
  }

  @Test func aNodeAloneCountsItsLoopsTogether() async throws {
    let broker = MemoryBroker(namespaces: BrokerSuite.namespaces, incarnation: "one/1")
    let group = MultiThreadedEventLoopGroup.singleton
    try await several(PortProbe.make(broker, on: group.next()), PortProbe.make(broker, on: group.next()))
  }

  @Test func nodesCountTogether() async throws {
    let cluster = try await RedisCluster()
    let (first, one) = try await cluster.node("one")
    let (second, other) = try await cluster.node("two")
    try await several(one, other)
    await first.shutdown()
    await second.shutdown()
  }

  /// Who leaves and comes while Redis is away is counted when it is back.
  @Test func whatChangesDuringAnOutageIsWrittenAfterIt() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let patient = { (settings: inout RedisBrokerSettings) in settings.lease = .seconds(60) }
    let (first, one) = try await cluster.node("one", at: proxy.address, patient)
    let (second, other) = try await cluster.node("two", patient)
    for _ in 0..<3 { #expect(try await connect(one)) }
    #expect(try await !connect(other))
    proxy.cut()
    try await eventually("an outage") { !first.health.canPublish }
    for _ in 0..<3 { try await disconnect(one) }
    for _ in 0..<3 { #expect(try await connect(one, "grace")) }
    proxy.mend()
    try await eventually("room again") { try await connect(other) }
    try await eventually("no room") { try await !connect(other, "grace") }
    await first.shutdown()
    await second.shutdown()
    try await proxy.stop()
  }

  /// The counts of a node that is gone count no more once its lease is over.
  @Test func aDeadNodesConnectionsAreForgotten() async throws {
    let cluster = try await RedisCluster()
    let short = { (settings: inout RedisBrokerSettings) in
      settings.heartbeat = .milliseconds(200)
      settings.lease = .milliseconds(600)
    }
    let (first, one) = try await cluster.node("one", short)
    let (second, other) = try await cluster.node("two", short)
    for _ in 0..<3 { #expect(try await connect(one)) }
    try await eventually("the counts of another node") { try await !connect(other) }
    await first.shutdown()
    try await eventually("room after its end") { try await connect(other) }
    #expect(try await cluster.command("TTL", "sluice:user:{ada}:connections").integer ?? 0 > 80_000)
    await second.shutdown()
  }
}
