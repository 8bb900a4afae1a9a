import NIOConcurrencyHelpers
import NIOCore
import Telemetry
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
    #expect(broker.metrics.writesRefused.value > 10_000)
    #expect(try publish("room:first", key: "k").get().isRepeated)
    // Once all of it is forgotten there is room again.
    time.withLockedValue { $0 += 30 * 86_400_000 }
    broker.announce(ByteBuffer())
    #expect(broker.state.withLockedValue(\.weight) == 0)
    #expect(throws: Never.self) { try publish("room:first").get() }
  }

  @Test func whatALogWeighsFollowsWhatItHolds() {
    var log = MemoryLog(now: 0)
    let channel = ChannelName("a")!
    for number in 0..<100 {
      let data = ByteBuffer(repeating: 0x31, count: number)
      _ = log.append(Publication(channel: channel, data: data, key: nil), held: 10, now: Int64(number))
      log.remember(Receipt(cursor: nil, isRepeated: false), for: "\(number % 20)", until: Int64(number))
    }
    #expect(log.messages.count == 10 && log.receipts.count == 20)
    #expect((2_000..<10_000).contains(log.weight))
    log.forget(messagesBefore: 1_000, receiptsUntil: 1_000)
    #expect(log.weight == MemoryLog.emptyWeight)
  }
}
