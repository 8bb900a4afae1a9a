import Admission
import Brokering
import NIOCore
import NIOPosix
import RedisClient
import Telemetry
import TestRedis
import Testing
import Wire

/// Redis is there, and is of no use.
@Suite(.serialized)
struct RedisTroubleTests {
  private let channel = ChannelName("room:a")!

  /// Publishes until it is refused; the numbers that were answered, and why not the next.
  private func publishUntilRefused(
    _ port: PortProbe,
    from first: Int = 1,
    size: Int = 1
  ) async throws -> (numbers: [Int], error: BrokerError) {
    var numbers: [Int] = []
    let padding = String(repeating: "x", count: size)
    for number in first..<(first + 100_000) {
      do {
        _ = try await port.publish(channel, "[\(number),\"\(padding)\"]")
        numbers.append(number)
      } catch let error as BrokerError {
        return (numbers, error)
      }
    }
    throw NotInTime(description: "every publish was taken")
  }

  private func numbers(in page: LogPage) -> [Int] {
    page.messages.compactMap { message in
      let text = String(buffer: message.data).dropFirst()
      return Int(text.prefix { $0 != "," })
    }
  }

  /// Every number that was answered is in the log, in its order, once.
  private func expect(_ answered: [Int], inLogOf port: PortProbe) async throws {
    var held: [Int] = []
    var range = HistoryRange.since(.start)
    while true {
      let page = try await port.read(channel, range)
      guard let last = page.messages.last else { break }
      held += numbers(in: page)
      range = .since(.cursor(last.cursor))
    }
    let known = Set(answered)
    #expect(held.filter(known.contains) == answered)
    #expect(Set(held).count == held.count)
    #expect(held.last == answered.last)
  }

  @Test func withoutMemoryPublishesAreRefusedAndTheRestGoesOn() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one")
    let before = try #require(try await port.attach(channel))
    _ = try await port.publish(channel, "[1,0]")
    _ = try await cluster.command("CONFIG", "SET", "maxmemory", "1")
    for _ in 0..<20 {
      let error = await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "[2,0]") }
      #expect(error?.kind == .unavailable)
      #expect(error?.reason.contains("OOM") == true, "\(String(describing: error))")
    }
    // Only the first were carried to Redis.
    #expect(broker.metrics.refusedByStore.value < 15)
    #expect(broker.metrics.shortCircuited.value >= 10)
    #expect(broker.metrics.breakersOpen.value == 1)
    #expect(numbers(in: try await port.read(channel, .since(.start))) == [1])
    #expect(try await port.verify(channel, nil).epoch == before.epoch)
    try await eventually("an operator sees why") {
      broker.health.problem?.contains("maxmemory") == true && !broker.health.canPublish
    }
    #expect(broker.health.isFed)

    _ = try await cluster.command("CONFIG", "SET", "maxmemory", "0")
    try await eventually("a publish is taken") { (try? await port.publish(channel, "[3,0]")) != nil }
    try await eventually("ready") { broker.health.isReady }
    #expect(broker.metrics.breakersOpen.value == 0)
    #expect(numbers(in: try await port.read(channel, .since(.start))) == [1, 3])
    #expect(try await port.heard { $0.losses } == 0)
    await broker.shutdown()
  }

  /// A real file that cannot grow. What was answered is there after a crash.
  @Test func aFullDiskLosesNothingThatWasAnswered() async throws {
    let server = try await RedisServer(["--appendonly", "yes"], fileLimit: 256 << 10)
    let cluster = RedisCluster(server)
    let (broker, port) = try await cluster.node("one")
    _ = try await port.attach(channel)
    let (first, error) = try await publishUntilRefused(port, size: 1_000)
    #expect(first.count > 50)
    #expect(error.kind == .unavailable)
    #expect(error.reason.contains("MISCONF"), "\(error)")
    // It can be read, and joined anew, meanwhile.
    try await expect(first, inLogOf: port)
    let other = cluster.broker("two")
    let far = try await PortProbe.make(other, on: MultiThreadedEventLoopGroup.singleton.next())
    #expect(numbers(in: try await far.read(channel, .newest, limit: 1)) == [first.last])
    await other.shutdown()
    try await eventually("an operator sees why") {
      broker.health.problem?.contains("disk") == true && !broker.health.canPublish
    }

    try server.unlimitFiles()
    try await eventually("a publish is taken") { (try? await port.publish(channel, "[100000,0]")) != nil }
    try await eventually("ready") { broker.health.isReady }
    server.stop()
    try await server.start()
    try await eventually("read again") { (try? await port.read(channel, .newest, limit: 1)) != nil }
    try await expect(first + [100_000], inLogOf: port)
    await broker.shutdown()
  }

  /// It answers everything, too late.
  @Test func aSlowRedisIsSparedAndAskedNowAndThen() async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (broker, port) = try await cluster.node("one", at: proxy.address) { settings in
      settings.redis.commandTimeout = .milliseconds(400)
      settings.breaker.longestPause = .seconds(1)
    }
    _ = try await port.attach(channel)
    _ = try await port.publish(channel, "[1,0]")
    proxy.delay(.milliseconds(600))
    try await eventually("the breaker opens") {
      _ = try? await port.publish(channel, "[2,0]")
      return broker.metrics.trips.value >= 1
    }
    // Half of five results are enough, and some before were good.
    #expect(broker.metrics.timeouts.value >= 3)
    #expect(!broker.health.canPublish)
    var quick = 0
    var dated = 0
    for _ in 0..<200 {
      let began = ContinuousClock.now
      let error = await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "[3,0]") }
      #expect(error?.kind == .unavailable)
      if ContinuousClock.now - began < .milliseconds(300) { quick += 1 }
      if error?.retryAfterMS != nil { dated += 1 }
    }
    #expect(quick > 150)
    #expect(dated > 0)
    proxy.delay(.zero)
    try await eventually("ready") { broker.health.isReady }
    try await eventually("a publish is taken") { (try? await port.publish(channel, "[4,0]")) != nil }
    #expect(broker.metrics.breakersOpen.value == 0)
    #expect(numbers(in: try await port.read(channel, .newest, limit: 1)) == [4])
    await broker.shutdown()
    try await proxy.stop()
  }

  /// What comes in the place of every answer: garbage, a part of one that never goes on, another command's, a time that
  /// never was.
  @Test(arguments: [
    "HTTP/1.1 502 Bad Gateway\r\n\r\n", "$100\r\nabc", "*3\r\n$8\r\naaaaaaaa\r\n", ":1\r\n", "+OK\r\n",
    "$-1\r\n", ":9223372036854775807\r\n", ":-9223372036854775808\r\n",
    "*1\r\n:1\r\n", "-LOADING Redis is loading the dataset in memory\r\n", "-BUSY Redis is busy\r\n",
  ])
  func answersThatMakeNoSenseAreSurvived(answer: String) async throws {
    let cluster = try await RedisCluster()
    let proxy = try await CuttableProxy(to: cluster.server.address)
    let (broker, port) = try await cluster.node("one", at: proxy.address) { settings in
      settings.redis.commandTimeout = .milliseconds(500)
      settings.redis.connectTimeout = .milliseconds(500)
      settings.heartbeat = .milliseconds(500)
    }
    _ = try await port.attach(channel)
    _ = try await port.publish(channel, "[1,0]")
    let time = broker.clock.milliseconds()
    proxy.answer(answer)
    for _ in 0..<5 {
      let error = await #expect(throws: BrokerError.self) { _ = try await port.publish(channel, "[2,0]") }
      #expect(error?.kind == .unavailable, "\(String(describing: error))")
    }
    try await eventually("an operator sees it") { !broker.health.canPublish }
    #expect(broker.health.problem != nil)
    proxy.answer(nil)
    try await eventually("ready") { broker.health.isReady }
    try await eventually("a publish is taken") {
      (try? await port.publish(channel, "[3,0]", key: "three")) != nil
    }
    #expect(abs(broker.clock.milliseconds() - time) < 60_000)
    let held = numbers(in: try await port.read(channel, .since(.start)))
    #expect(held.first == 1 && held.last == 3)
    #expect(held.count { $0 == 3 } == 1)
    await broker.shutdown()
    try await proxy.stop()
  }

  /// A script of somebody else runs for too long.
  @Test func aBusyRedisIsWaitedFor() async throws {
    let cluster = try await RedisCluster(["--busy-reply-threshold", "100"])
    let (broker, port) = try await cluster.node("one") { $0.redis.commandTimeout = .milliseconds(500) }
    _ = try await port.attach(channel)
    let endless = Task { try await cluster.command("EVAL", "while true do end", 0) }
    try await eventually("refused") { (try? await port.publish(channel, "[1,0]")) == nil }
    try await eventually("an operator sees it") { !broker.health.canPublish }
    // Nobody is greeted meanwhile, so this takes a program that greets nobody.
    try await eventually("it is ended") { try cluster.server.tell("SCRIPT", "KILL") == "OK" }
    _ = try? await endless.value
    try await eventually("ready") { broker.health.isReady }
    try await eventually("a publish is taken") { (try? await port.publish(channel, "[2,0]")) != nil }
    await broker.shutdown()
  }

  /// More than may wait is refused at once, and what waits is bounded by its bytes.
  @Test func queuesAreBounded() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one") { settings in
      settings.redis.maximumPendingBytes = 256 << 10
      settings.redis.commandTimeout = .seconds(5)
    }
    _ = try await port.attach(channel)
    cluster.server.freeze()
    let text = "[1,\"" + String(repeating: "x", count: 4_000) + "\"]"
    let began = ContinuousClock.now
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<500 {
        group.addTask { (try? await port.publish(channel, text)) != nil }
      }
      // All but about 64 are refused before anything times out.
      for _ in 0..<400 { #expect(try await group.next() == false) }
      #expect(ContinuousClock.now - began < .seconds(4))
      #expect(broker.metrics.crowdedOut.value >= 400)
      cluster.server.thaw()
      var taken = 0
      for try await isTaken in group where isTaken { taken += 1 }
      #expect((50...70).contains(taken))
    }
    try await eventually("ready") { broker.health.isReady }
    await broker.shutdown()
  }
}
