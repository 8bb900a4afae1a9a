import Brokering
import Delivery
import NIOCore
import NIOEmbedded
import Testing
import Wire

/// Logs from which somebody has taken messages, at an end of a page: a page itself has no hole.
struct HoleTests {
  private let loop = EmbeddedEventLoop()
  private let channel = ChannelName("room:a")!
  private let broker = FaultyBroker(MemoryBroker(namespaces: Namespaces(), incarnation: "one/1"))

  /// Whoever is before the hole is told, and goes on after it.
  @Test(arguments: [
    (UInt64(6)...8, ["gap 8", "9", "10"]), (9...10, ["6", "7", "8", "gap 10"]), (6...10, ["gap 10"]),
  ])
  func aHoleIsAGap(hole: ClosedRange<UInt64>, expected: [String]) throws {
    let shard = DeliveryShard(
      loop: loop,
      broker: broker,
      namespaces: Namespaces(),
      settings: DeliverySettings(),
      metrics: DeliveryMetrics()
    )
    let port = try #require(shard.port as? FaultyPort)
    var cursor: Cursor?
    for _ in 0..<10 {
      port.publish(Publication(channel: channel, data: ByteBuffer(string: "1"))) {
        cursor = try? $0.get().cursor
      }
    }
    loop.run()
    port.hole = hole
    let start = Cursor(try #require(cursor).epoch, 5)
    let reader = try Reader(loop: loop, shard: shard)
    shard.subscribe(reader.subscriber, to: channel, since: .cursor(start), hearsPresence: false) { _ in }
    for _ in 0..<20 { loop.advanceTime(by: .milliseconds(10)) }
    let events = try reader.events().map { event in
      let end = event[event["type"]?.string == "gap" ? "to" : "cursor"]?.string.flatMap { Cursor($0) }
      return "\(event["type"]?.string == "gap" ? "gap " : "")\(end?.offset ?? 0)"
    }
    #expect(events == expected)
    #expect(port.reads < 10)
  }
}
