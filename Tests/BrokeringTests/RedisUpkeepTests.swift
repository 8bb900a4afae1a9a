import NIOCore
import RedisClient
import TestRedis
import Testing
import Wire

@testable import Brokering

/// What is kept on in Redis from time to time is kept on some at a time.
struct RedisUpkeepTests {
  private let batch = RedisBrokerSettings.upkeepBatch

  /// All that is told, by turns, until there is a turn in which nothing is.
  private func turns(_ upkeep: inout RedisUpkeep<Int>) -> [[Int]] {
    var turns: [[Int]] = []
    while turns.count < 1_000 {
      let some = upkeep.next()
      if some.isEmpty { return turns }
      turns.append(some)
    }
    return turns
  }

  @Test func allAreToldSomeAtATime() {
    var upkeep = RedisUpkeep<Int>()
    #expect(upkeep.next() == [])
    upkeep.begin(0..<100_000, every: .minutes(15), turn: .seconds(1))
    let told = turns(&upkeep)
    #expect(told.allSatisfy { $0.count <= batch } && told.count == 100_000 / batch)
    #expect(told.joined().sorted() == Array(0..<100_000))
  }

  /// However many there are, none is forgotten before its turn.
  @Test func allAreToldInHalfOfThePeriod() {
    var upkeep = RedisUpkeep<Int>()
    upkeep.begin(0..<100_000, every: .seconds(80), turn: .seconds(1))
    #expect(turns(&upkeep).map(\.count) == Array(repeating: 2_500, count: 40))
    upkeep.begin(0..<10_000, every: .milliseconds(1), turn: .seconds(1))
    #expect(upkeep.next().count == 10_000)
  }

  @Test func whatBeginsAnewForgetsWhatWasLeft() {
    var upkeep = RedisUpkeep<Int>()
    upkeep.begin(0..<5_000, every: .hours(1), turn: .seconds(1))
    #expect(upkeep.next().count == batch)
    upkeep.begin(10_000..<10_010, every: .hours(1), turn: .seconds(1))
    #expect(turns(&upkeep) == [Array(10_000..<10_010)])
  }

  /// The presence of more channels than are kept on in one turn outlives the time for which it is stored.
  @Test func presenceOfManyChannelsIsKeptOn() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one") { settings in
      settings.sweep = .milliseconds(20)
      settings.presenceTTL = .seconds(3)
    }
    let channels = (0..<2_500).map { ChannelName("room:\($0)")! }
    let member = Member(id: "ada", since: 1)
    for channel in channels { try await port.join(channel, member, holder: 1) }
    // As long as what is not kept on would last.
    _ = try await cluster.command("SET", "witness", "1", "PX", 4_000)
    try await eventually("that time is over") { try await cluster.command("EXISTS", "witness").integer == 0 }
    var present = 0
    for channel in channels { present += try await port.members(channel).count }
    #expect(present == channels.count)
    await broker.shutdown()
  }

  /// After a loss of Redis's memory the counts of more users than are told at once are all written again.
  @Test func allUsersAreToldAnew() async throws {
    let cluster = try await RedisCluster()
    let (broker, port) = try await cluster.node("one") { settings in
      settings.heartbeat = .milliseconds(100)
      settings.sweep = .milliseconds(20)
    }
    for number in 0..<2_500 {
      let isIn = try await port.ask { port, done in
        port.connect(user: "u\(number)", limit: 3) { done(.success($0)) }
      }
      #expect(isIn)
    }
    _ = try await cluster.command("FLUSHALL")
    try await eventually("all counts are written") {
      (try await cluster.command("KEYS", "sluice:user:*").array ?? []).count == 2_500
    }
    await broker.shutdown()
  }
}
