import Brokering
import Delivery
import NIOCore
import NIOEmbedded
import Testing
import Wire

/// Channels that the cluster is being asked for.
struct AttachingTests {
  private final class Tally {
    var count = 0
  }

  private let loop = EmbeddedEventLoop()
  private let channel = ChannelName("room:a")!
  private let broker = FaultyBroker(MemoryBroker(namespaces: Namespaces(), incarnation: "one/1"))

  private func shard(_ settings: DeliverySettings = DeliverySettings()) -> DeliveryShard {
    DeliveryShard(
      loop: loop,
      broker: broker,
      namespaces: Namespaces(),
      settings: settings,
      metrics: DeliveryMetrics()
    )
  }

  /// Whoever has gone meanwhile is no reason to forget who counts what is under way.
  @Test func itsEndIsToldOnceAlsoWhenNobodyWaitsForTheChannel() throws {
    let shard = shard()
    let port = try #require(shard.port as? FaultyPort)
    port.delay = 10
    let reader = try Reader(loop: loop, shard: shard)
    let (ended, answered) = (Tally(), Tally())
    shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: false) { _ in
      answered.count += 1
    }
    #expect(shard.isAsking(for: channel) { ended.count += 1 })
    #expect(shard.unsubscribe(reader.subscriber, from: channel))
    loop.advanceTime(by: .milliseconds(9))
    #expect(ended.count == 0)
    loop.advanceTime(by: .milliseconds(1))
    #expect(ended.count == 1 && answered.count == 0)
    #expect(!shard.isAsking(for: channel) { ended.count += 1 })
    #expect(!shard.isAsking(for: ChannelName("room:b")!) { ended.count += 1 })
    #expect(ended.count == 1)
  }

  @Test func itsEndIsToldWhenItFails() throws {
    let shard = shard()
    let port = try #require(shard.port as? FaultyPort)
    port.isDown = true
    let reader = try Reader(loop: loop, shard: shard)
    let (ended, refused) = (Tally(), Tally())
    shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: false) { result in
      if case .failure = result { refused.count += 1 }
    }
    #expect(shard.isAsking(for: channel) { ended.count += 1 })
    loop.run()
    #expect(ended.count == 1 && refused.count == 1)
  }

  /// A channel that is given up while its log is read for somebody who has left keeps nobody.
  @Test func whoLeavesWhileTheLogIsReadIsForgotten() throws {
    var settings = DeliverySettings()
    settings.ringBytes = 1
    let shard = shard(settings)
    let port = try #require(shard.port as? FaultyPort)
    var cursors: [Cursor] = []
    for _ in 0..<10 {
      port.publish(Publication(channel: channel, data: ByteBuffer(string: "1"))) { result in
        if case .success(let receipt) = result, let cursor = receipt.cursor { cursors.append(cursor) }
      }
    }
    loop.run()
    var reader: Reader? = try Reader(loop: loop, shard: shard)
    weak let subscriber = reader?.subscriber
    let answered = Tally()
    shard.subscribe(
      try #require(subscriber),
      to: channel,
      since: .cursor(try #require(cursors.first)),
      hearsPresence: false
    ) { _ in answered.count += 1 }
    for _ in 0..<100 where answered.count == 0 { loop.advanceTime(by: .milliseconds(1)) }
    port.delay = 60_000
    let reads = port.reads
    for _ in 0..<10 where port.reads == reads { loop.advanceTime(by: .milliseconds(1)) }
    #expect(port.reads == reads + 1)
    reader = nil
    for _ in 0..<settings.lingerSeconds { shard.secondPassed() }
    #expect(!shard.isFollowing(channel))
    loop.advanceTime(by: .seconds(60))
    #expect(subscriber == nil)
  }
}
