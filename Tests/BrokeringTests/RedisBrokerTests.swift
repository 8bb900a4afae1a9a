import Brokering
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing
import Wire

struct RedisBrokerTests {
  @Test func keepsEveryPromiseOfABroker() async throws {
    let cluster = try await RedisCluster()
    let one = cluster.broker("one")
    let two = cluster.broker("two")
    try await one.start()
    try await two.start()
    try await BrokerSuite(one, two).run()
    await one.shutdown()
    await two.shutdown()
  }

  @Test func oneNodeAloneKeepsThemToo() async throws {
    let cluster = try await RedisCluster()
    let broker = cluster.broker("one")
    try await broker.start()
    try await BrokerSuite(broker, broker).run()
    await broker.shutdown()
  }

  /// Everything that is stored goes by itself.
  @Test func storesNothingWithoutAnExpiry() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let channel = ChannelName("room:a")!
    _ = try await port.attach(channel)
    _ = try await port.attach(ChannelName("room:empty")!)
    _ = try await port.publish(channel, "1", key: "k")
    try await port.join(channel, Member(id: "m", user: "ada", since: 1), holder: 1)
    _ = try await port.ask { port, done in
      port.renewEpoch(of: channel, ifStill: Epoch("zzzzzzzz")!, done)
    }
    let position = try #require(try await port.read(channel, .newest).position)
    _ = try await port.ask { port, done in port.renewEpoch(of: channel, ifStill: position.epoch, done) }
    let keys = try #require(try await cluster.command("KEYS", "*").array).compactMap(\.string)
    #expect(keys.count >= 11, "\(keys)")
    for key in keys {
      let seconds = try #require(try await cluster.command("TTL", .string(key)).integer)
      #expect(seconds > 0 && seconds <= 90_000, "\(key): \(seconds)")
    }
    await broker.shutdown()
  }

  @Test func publishesOfOnePortKeepTheirOrder() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let channel = ChannelName("room:a")!
    _ = try await port.attach(channel)
    async let flushes: Void = {
      for _ in 0..<20 { _ = try await cluster.command("SCRIPT", "FLUSH") }
    }()
    for round in 0..<20 {
      let receipts = try await port.publish(all: (0..<50).map { "\(round * 50 + $0)" }, to: channel)
      #expect(receipts.map { $0.cursor?.offset } == (1...50).map { UInt64(round * 50 + $0) })
    }
    try await flushes
    try await port.wait { $0.items.count == 1_000 }
    #expect(try await port.items(channel) == (0..<1_000).map { "\($0 + 1):\($0)" })
    await broker.shutdown()
  }

  @Test func manyChannelsCostFewCommands() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let (other, far) = try await cluster.node("two")
    let channels = (0..<3_000).map { ChannelName("many:\($0)")! }
    try await port.attach(all: channels)
    let stats = try #require(try await cluster.command("INFO", "commandstats").string)
    let line = try #require(stats.split(separator: "\r\n").first { $0.hasPrefix("cmdstat_subscribe:") })
    let calls = try #require(Int(line.split(separator: "=")[1].split(separator: ",")[0]))
    #expect(calls < 100, "\(line)")
    for channel in channels.prefix(100) { _ = try await far.publish(channel, "1") }
    try await port.wait { $0.items.count == 100 }
    #expect(try await port.heard { $0.items.map(\.0) } == Array(channels.prefix(100)))
    await broker.shutdown()
    await other.shutdown()
  }

  @Test func saysWhatIsWrongWithTheSettings() async throws {
    let server = try await RedisServer(["--requirepass", "right"])
    let cluster = try await RedisCluster()
    for (url, words) in [
      ("redis://:wrong@\(server.address)", "wrong user or password"),
      ("redis://\(server.address)", "asks for a password"),
      ("redis://\(cluster.server.address)/99", "DB index"),
    ] {
      let redis = try RedisSettings(url: url)
      let broker = cluster.broker("one") { $0.redis = redis }
      let error = await #expect(throws: BrokerError.self) { try await broker.start() }
      #expect(error?.reason.contains(words) == true, "\(String(describing: error))")
      #expect(!broker.health.isReady)
      await broker.shutdown()
    }
  }

  @Test func waitsForAnAbsentServer() async throws {
    let cluster = try await RedisCluster()
    cluster.server.stop()
    let broker = cluster.broker("one")
    async let start: Void = broker.start()
    try await eventually("a reason is given") {
      broker.health.problem?.contains("\(cluster.server.address)") == true
    }
    #expect(!broker.health.isReady)
    try await cluster.server.start()
    try await start
    #expect(broker.health == BrokerHealth(canPublish: true, isFed: true))
    await broker.shutdown()
    #expect(!broker.health.isReady)
  }

  @Test func listsNodes() async throws {
    let cluster = try await RedisCluster()
    let (one, _) = try await cluster.node("one")
    let (two, _) = try await cluster.node("two")
    one.announce(ByteBuffer(string: #"{"node":"one"}"#))
    try await eventually("announced") {
      try await two.nodes().first?.state == ByteBuffer(string: #"{"node":"one"}"#)
    }
    #expect(try await two.nodes().map(\.incarnation) == ["one/1", "two/1"])
    #expect(try await one.nodes().allSatisfy(\.isAlive))
    await one.shutdown()
    let after = try await two.nodes()
    #expect(after.map(\.isAlive) == [false, true])
    await two.shutdown()
  }
}
