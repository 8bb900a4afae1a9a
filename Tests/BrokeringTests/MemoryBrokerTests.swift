import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Telemetry
import TestRedis
import Testing
import Wire

@testable import Brokering

struct MemoryBrokerTests {
  @Test func keepsEveryPromiseOfABroker() async throws {
    let broker = MemoryBroker(namespaces: BrokerSuite.namespaces, incarnation: "one/1")
    try await BrokerSuite(broker, broker).run()
  }

  /// As a Redis without memory does.
  @Test func takesNoMoreThanItMayHold() throws {
    let time = NIOLockedValueBox<Int64>(1_700_000_000_000)
    let broker = MemoryBroker(
      namespaces: BrokerSuite.namespaces,
      incarnation: "one/1",
      holding: 1 << 20,
      clock: { time.withLockedValue { $0 } }
    )
    let data = ByteBuffer(repeating: 0x31, count: 1_000)
    func publish(_ name: String, key: String? = nil) -> Result<Receipt, BrokerError> {
      broker.publish(Publication(channel: ChannelName(name)!, data: data, key: key))
    }
    #expect(throws: Never.self) { try publish("room:first", key: "k").get() }
    var taken = 1
    while taken < 10_000, case .success = publish("room:\(taken)") { taken += 1 }
    #expect((300..<1_048).contains(taken))
    for number in 0..<10_000 { _ = publish("room:other\(number)") }
    #expect(broker.state.withLockedValue(\.logs.count) == taken)
    #expect(broker.metrics.refusedByStore.value > 10_000)
    #expect(try publish("room:first", key: "k").get().isRepeated)
    // Once all of it is forgotten there is room again.
    time.withLockedValue { $0 += 30 * 86_400_000 }
    for _ in 0..<2 { broker.announce(ByteBuffer()) }
    #expect(broker.state.withLockedValue(\.weight) == 0)
    #expect(throws: Never.self) { try publish("room:first").get() }
  }

  @Test func whatALogWeighsFollowsWhatItHolds() {
    var log = MemoryLog(now: 0)
    let channel = ChannelName("a")!
    for number in 0..<100 {
      let data = ByteBuffer(repeating: 0x31, count: number)
      _ = log.append(Publication(channel: channel, data: data, key: nil), held: 10, now: Int64(number))
      log.remember(
        Receipt(cursor: nil, isRepeated: false),
        for: ExactText("\(number % 20)"),
        until: Int64(number)
      )
    }
    #expect(log.messages.count == 10 && log.receipts.count == 20)
    #expect((2_000..<10_000).contains(log.weight))
    #expect(log.dropOlder(than: 1_000, atMost: 4) == 4)
    #expect(log.dropOlder(than: 1_000) == 6)
    // The keys were answered anew at 80 to 99.
    #expect(log.forget(ExactText("0"), until: 0) == 0)
    let lighter = (80..<100).map { log.forget(ExactText("\($0 % 20)"), until: Int64($0)) }
    #expect(lighter.allSatisfy { $0 > 0 } && log.receipts.isEmpty)
    #expect(log.weight == MemoryLog.emptyWeight)
  }

  /// A broker with many channels, one that holds many messages and one with many receipts, and its time.
  private func crowded() throws -> (MemoryBroker, NIOLockedValueBox<Int64>) {
    let time = NIOLockedValueBox<Int64>(1_700_000_000_000)
    let broker = MemoryBroker(namespaces: Namespaces(), incarnation: "one/1") { time.withLockedValue { $0 } }
    func publish(_ channel: String, _ key: String?) throws {
      _ = try broker.publish(Publication(channel: ChannelName(channel)!, data: ByteBuffer(), key: key)).get()
    }
    for number in 0..<3_000 { try publish("quiet:\(number)", nil) }
    for _ in 0..<900 { try publish("long", nil) }
    for number in 0..<3_500 { try publish("keyed", "\(number)") }
    return (broker, time)
  }

  private func held(_ broker: MemoryBroker) -> (receipts: Int, messages: Int, logs: Int) {
    broker.state.withLockedValue { state in
      let logs = state.logs.values
      return (
        logs.reduce(0) { $0 + $1.receipts.count }, logs.reduce(0) { $0 + $1.messages.count }, logs.count
      )
    }
  }

  /// Everybody waits for the lock meanwhile.
  @Test func forgetsSomeAtATimeUntilNothingIsLeft() throws {
    let (broker, time) = try crowded()
    #expect(held(broker) == (3_500, 4_900, 3_002))
    time.withLockedValue { $0 += 30 * 86_400_000 }
    var turns = 0
    var before = held(broker)
    while before != (0, 0, 0), turns < 100 {
      broker.announce(ByteBuffer())
      let after = held(broker)
      #expect(before.receipts - after.receipts <= MemoryBroker.sweepBatch)
      #expect(before.messages - after.messages <= MemoryBroker.sweepBatch)
      #expect(before.logs - after.logs <= MemoryBroker.sweepBatch)
      before = after
      turns += 1
    }
    #expect(before == (0, 0, 0) && turns >= 8)
    #expect(broker.state.withLockedValue(\.weight) == 0)
  }

  /// What is left when the lock is given back follows at once, not with the next heartbeat.
  @Test func theLoopsGoOnForgetting() async throws {
    let (broker, time) = try crowded()
    let group = MultiThreadedEventLoopGroup.singleton
    let one = try await PortProbe.make(broker, on: group.next())
    let other = try await PortProbe.make(broker, on: group.next())
    time.withLockedValue { $0 += MemoryBroker.keyLifetime }
    broker.announce(ByteBuffer())
    try await eventually("no receipt is held") { held(broker).receipts == 0 }
    #expect(held(broker).logs == 3_002)
    withExtendedLifetime((one, other)) {}
  }

  @Test func aKeyThatIsUsedAnewIsRememberedForItsWholeTime() throws {
    let time = NIOLockedValueBox<Int64>(1_700_000_000_000)
    let broker = MemoryBroker(namespaces: Namespaces(), incarnation: "one/1") { time.withLockedValue { $0 } }
    func isRepeated() throws -> Bool {
      let publication = Publication(channel: ChannelName("a")!, data: ByteBuffer(), key: "k")
      return try broker.publish(publication).get().isRepeated
    }
    #expect(try !isRepeated())
    time.withLockedValue { $0 += MemoryBroker.keyLifetime }
    #expect(try !isRepeated())
    time.withLockedValue { $0 += MemoryBroker.keyLifetime - 1 }
    broker.announce(ByteBuffer())
    #expect(try isRepeated())
    time.withLockedValue { $0 += 1 }
    broker.announce(ByteBuffer())
    #expect(held(broker).receipts == 0)
  }

  /// What was remembered while the clock was days fast is in nobody's way once it is right.
  @Test func aClockThatIsPutBackHoldsNothingUp() throws {
    let time = NIOLockedValueBox<Int64>(1_700_000_000_000)
    let broker = MemoryBroker(namespaces: Namespaces(), incarnation: "one/1") { time.withLockedValue { $0 } }
    func publish(_ key: String) throws {
      _ = try broker.publish(Publication(channel: ChannelName("a")!, data: ByteBuffer(), key: key)).get()
    }
    time.withLockedValue { $0 += 3 * 86_400_000 }
    try publish("early")
    time.withLockedValue { $0 -= 3 * 86_400_000 }
    for number in 0..<10 { try publish("\(number)") }
    broker.announce(ByteBuffer())
    #expect(held(broker).receipts == 10)
    time.withLockedValue { $0 += MemoryBroker.keyLifetime }
    broker.announce(ByteBuffer())
    #expect(held(broker).receipts == 0)
  }
}
