import Brokering
import Testing

struct MemoryBrokerTests {
  @Test func keepsEveryPromiseOfABroker() async throws {
    let broker = MemoryBroker(namespaces: BrokerSuite.namespaces, incarnation: "one/1")
    try await BrokerSuite(broker, broker).run()
  }
}
