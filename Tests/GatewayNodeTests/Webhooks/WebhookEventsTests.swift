import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import Telemetry
import Testing
import Wire

@testable import Brokering
@testable import GatewayNode

/// Events come to a real backend, at least once, in their order.
@Suite struct WebhookEventsTests {
  private static let secret = Array("a secret of the cluster".utf8)

  /// What a backend was told, by its requests.
  private func told(_ backend: Backend) -> [[(id: String, kind: String)]] {
    backend.asked.map { asked in
      let object = try? JSONObject(asked.body)
      let events = object?["events"]?.elements ?? []
      return events.compactMap { event in
        guard let event = event.object, let id = event["id"]?.string, let kind = event["kind"]?.string else {
          return nil
        }
        return (id, kind)
      }
    }
  }

  private func with(
    _ url: String,
    events kinds: Set<ClusterEvent.Kind> = Set(ClusterEvent.Kind.allCases),
    _ body: (MemoryBroker, Webhook) async throws -> Void
  ) async throws {
    var settings = WebhookSettings(url: url)
    settings.events = kinds
    settings.secret = WebhookEventsTests.secret
    settings.timeout = .milliseconds(500)
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let webhook = try #require(
      Webhook(settings, node: "gateway-1", on: MultiThreadedEventLoopGroup.singleton, log: log)
    )
    let broker = MemoryBroker(namespaces: Namespaces(), incarnation: "gateway-1/1")
    let events = try #require(WebhookEvents(settings, webhook, broker, isAlone: true, log: log))
    events.start()
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body(broker, webhook))
    } catch {
      outcome = .failure(error)
    }
    await events.stop()
    await webhook.shutdown()
    try outcome.get()
  }

  private func come(_ serial: UInt64, to broker: MemoryBroker) {
    broker.connected(HolderID(serial: serial), detail: ByteBuffer(string: #"{"member":"m\#(serial)"}"#))
  }

  private func go(_ serials: ClosedRange<UInt64>, from broker: MemoryBroker) {
    for serial in serials {
      come(serial, to: broker)
      broker.disconnected(HolderID(serial: serial))
    }
  }

  private func eventually(_ what: Comment, _ condition: () async throws -> Bool) async throws {
    let deadline = NIODeadline.now() + .seconds(20)
    while try await !condition() {
      try #require(NIODeadline.now() < deadline, what)
      try await Task.sleep(nanoseconds: 10_000_000)
    }
  }

  @Test func eventsAreSignedAndSaidOnce() async throws {
    let backend = try await Backend { _ in .json("{}") }
    try await with(backend.url) { broker, _ in
      go(1...3, from: broker)
      try await eventually("three events") { told(backend).flatMap { $0 }.count == 3 }
      try await eventually("an empty queue") { try await broker.events(atMost: 1, for: .zero).isEmpty }
    }
    #expect(told(backend).flatMap { $0 }.count == 3)
    let asked = try #require(backend.asked.first)
    let object = try JSONObject(asked.body)
    #expect(object["kind"]?.string == "events" && object["node"]?.string == "gateway-1")
    #expect(object["events"]?.elements?.first?.object?["member"]?.string == "m1")
    let time = try #require(object["time"]?.integer)
    let signature = WebhookSignature.sign(asked.body, at: time / 1_000, with: WebhookEventsTests.secret)
    #expect(asked.head.headers["Sluice-Signature"] == [signature])
    try await backend.stop()
  }

  /// Nobody goes on with the events of a node that runs alone.
  @Test func aNodeAloneThatStopsSaysAllOfItFirst() async throws {
    let backend = try await Backend { _ in .json("no", .internalServerError) }
    try await with(backend.url) { broker, _ in
      go(1...250, from: broker)
      come(251, to: broker)
      try await eventually("a refused request") { !backend.asked.isEmpty }
      for name in ["room:b", "room:a"] {
        let channel = try #require(ChannelName(name))
        broker.state.withLockedValue { broker.attach(channel, port: 0, true, in: &$0) }
      }
      backend.answers { _ in .json("{}") }
    }
    var kinds: [String: Int] = [:]
    let taken = Dictionary(told(backend).flatMap { $0 }, uniquingKeysWith: { first, _ in first })
    for kind in taken.values { kinds[kind, default: 0] += 1 }
    #expect(kinds == ["disconnect": 251, "channel-occupied": 2, "channel-vacated": 2])
    let last = try #require(told(backend).last).map(\.kind).suffix(3)
    #expect(last == ["disconnect", "channel-vacated", "channel-vacated"])
    try await backend.stop()
  }

  @Test func onlyWhatIsWantedIsSaid() async throws {
    let backend = try await Backend { _ in .json("{}") }
    try await with(backend.url, events: [.channelVacated]) { broker, _ in
      go(1...3, from: broker)
      let channel = try #require(ChannelName("room:a"))
      broker.state.withLockedValue { state in
        broker.attach(channel, port: 0, true, in: &state)
        broker.attach(channel, port: 0, false, in: &state)
      }
      try await eventually("an event") { !told(backend).isEmpty }
    }
    #expect(told(backend).flatMap { $0 }.map(\.kind) == ["channel-vacated"])
    try await backend.stop()
  }

  /// It refuses, says nothing, and dies; then it is back, and has missed nothing.
  @Test func whatABackendDoesNotTakeComesAgain() async throws {
    let backend = try await Backend { _ in .json("no", .internalServerError) }
    try await with(backend.url) { broker, webhook in
      go(1...5, from: broker)
      try await eventually("two refused requests") { backend.asked.count >= 2 }
      backend.answers { _ in .silence }
      try await eventually("a late answer") { webhook.metrics.eventFailures.value >= 3 }
      let port = backend.port
      try await backend.die()
      let failures = webhook.metrics.eventFailures.value
      go(6...9, from: broker)
      try await eventually("a refused connection") { webhook.metrics.eventFailures.value > failures }
      let again = try await Backend(port: port) { _ in .json("{}") }
      try await eventually("all events") { told(again).flatMap { $0 }.count >= 9 }
      let ids = told(again).flatMap { $0 }.map(\.id)
      #expect(ids.count == 9 && Set(ids).count == 9)
      let before = told(backend).flatMap { $0 }.map(\.id)
      #expect(Set(before) == Set(ids.prefix(5)), "the same event has the same id")
      #expect(told(again).flatMap { $0 }.allSatisfy { $0.kind == "disconnect" })
      try await again.stop()
    }
  }
}
