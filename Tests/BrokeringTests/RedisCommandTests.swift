import Brokering
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Testing

@Suite(.serialized)
struct RedisCommandTests {
  private let text = ByteBuffer(string: #"{"act":"wave"}"#)

  /// What a node was told, and what it says to it.
  private final class Servant: Sendable {
    let heard = NIOLockedValueBox<[String]>([])

    func obey(_ broker: RedisBroker) {
      broker.obey { [heard] command in
        heard.withLockedValue { $0.append(String(buffer: command)) }
        return ByteBuffer(string: "done: \(String(buffer: command))")
      }
    }
  }

  private func nodes(_ cluster: RedisCluster) async throws -> (RedisBroker, RedisBroker, Servant) {
    let (one, two) = (cluster.broker("one"), cluster.broker("two"))
    let servant = Servant()
    servant.obey(two)
    try await one.start()
    try await two.start()
    return (one, two, servant)
  }

  @Test func aCommandIsCarriedOutOnceAndAnswered() async throws {
    let cluster = try await RedisCluster()
    let (one, two, servant) = try await nodes(cluster)
    for number in 1...20 {
      let answer = try await one.command(ByteBuffer(string: "{\(number) \n}"), to: "two/1")
      #expect(String(buffer: answer) == "done: {\(number) \n}")
    }
    #expect(servant.heard.withLockedValue { $0.count } == 20)
    #expect(try await cluster.command("KEYS", "sluice:command:*").array?.count == 0)
    await one.shutdown()
    await two.shutdown()
  }

  @Test func commandsDoNotWaitForEachOther() async throws {
    let cluster = try await RedisCluster()
    let (one, two, servant) = try await nodes(cluster)
    let answers = try await withThrowingTaskGroup(of: String.self) { group in
      for number in 0..<50 {
        group.addTask { String(buffer: try await one.command(ByteBuffer(string: "\(number)"), to: "two/1")) }
      }
      return try await group.reduce(into: Set<String>()) { $0.insert($1) }
    }
    #expect(answers == Set((0..<50).map { "done: \($0)" }))
    #expect(servant.heard.withLockedValue { Set($0).count } == 50)
    await one.shutdown()
    await two.shutdown()
  }

  @Test func whoDoesNotListenIsNotReachedAndDoesNothingLater() async throws {
    let cluster = try await RedisCluster()
    let one = cluster.broker("one")
    try await one.start()
    let began = NIODeadline.now()
    let error = await #expect(throws: BrokerError.self) { try await one.command(text, to: "two/1") }
    #expect(error?.kind == .unavailable)
    #expect(error?.reason.contains("withdrawn") == true, "\(String(describing: error))")
    #expect(NIODeadline.now() - began < .seconds(8))
    let servant = Servant()
    let two = cluster.broker("two")
    servant.obey(two)
    try await two.start()
    #expect(servant.heard.withLockedValue { $0 } == [])
    #expect(try await cluster.command("KEYS", "sluice:command:*").array?.count == 0)
    await one.shutdown()
    await two.shutdown()
  }

  /// The notice is lost, the command is not.
  @Test func aNodeThatComesBackInTimeTakesIt() async throws {
    let cluster = try await RedisCluster()
    let one = cluster.broker("one")
    try await one.start()
    async let answer = one.command(text, to: "two/1")
    try await eventually("a command that waits") {
      try await cluster.command("KEYS", "sluice:command:*").array?.count == 1
    }
    let servant = Servant()
    let two = cluster.broker("two")
    servant.obey(two)
    try await two.start()
    #expect(String(buffer: try await answer).hasPrefix("done"))
    await one.shutdown()
    await two.shutdown()
  }

  @Test func aNodeThatDoesNotAnswerIsTold() async throws {
    let cluster = try await RedisCluster()
    let (one, two) = (cluster.broker("one"), cluster.broker("two"))
    // It thinks about that until the other has given up.
    let (end, ending) = AsyncStream<Void>.makeStream()
    two.obey { _ in
      for await _ in end {}
      return ByteBuffer()
    }
    try await one.start()
    try await two.start()
    let error = await #expect(throws: BrokerError.self) { try await one.command(text, to: "two/1") }
    #expect(error?.reason.contains("may have taken") == true, "\(String(describing: error))")
    ending.finish()
    await one.shutdown()
    await two.shutdown()
  }

  @Test func withoutRedisThereIsNoWay() async throws {
    let cluster = try await RedisCluster()
    let one = cluster.broker("one")
    let error = await #expect(throws: BrokerError.self) { try await one.command(text, to: "two/1") }
    #expect(error?.kind == .unavailable)
    await one.shutdown()
  }

  @Test func silenceIsSinceTheLastHeartbeat() async throws {
    let cluster = try await RedisCluster()
    let (one, two, _) = try await nodes(cluster)
    let silences = try await one.nodes().map(\.silence)
    #expect(silences.count == 2)
    #expect(silences.allSatisfy { $0 >= .zero && $0 < .seconds(3) }, "\(silences)")
    await two.shutdown()
    let dead = try #require(try await one.nodes().first { $0.incarnation == "two/1" })
    #expect(!dead.isAlive)
    await one.shutdown()
  }
}
