import Brokering
import Delivery
import NIOCore
import NIOEmbedded
import Telemetry
import Testing
import Wire

/// What one client may cost that asks for much and takes little.
struct CostTests {
  private let loop = EmbeddedEventLoop()
  private let broker = FaultyBroker(MemoryBroker(namespaces: Namespaces(), incarnation: "one/1"))
  private let metrics = DeliveryMetrics()

  private func shard(_ settings: DeliverySettings) -> DeliveryShard {
    DeliveryShard(loop: loop, broker: broker, namespaces: Namespaces(), settings: settings, metrics: metrics)
  }

  private func publish(_ count: Int, bytes: Int, in channels: [ChannelName], by shard: DeliveryShard) {
    let data = ByteBuffer(string: "\"\(String(repeating: "x", count: bytes - 2))\"")
    for channel in channels {
      for _ in 0..<count { shard.port.publish(Publication(channel: channel, data: data)) { _ in } }
    }
    loop.run()
  }

  /// What is behind in many channels stays in their logs until the connection takes it, and then all of it comes.
  @Test func whoReadsNothingHasFewPagesWaiting() throws {
    var settings = DeliverySettings()
    settings.ringBytes = 4_000
    settings.readBytes = 4_000
    let shard = shard(settings)
    let channels = (0..<40).map { ChannelName("room:\($0)")! }
    publish(50, bytes: 200, in: channels, by: shard)
    let reader = try Reader(loop: loop, shard: shard)
    var answered = 0
    for channel in channels {
      shard.subscribe(reader.subscriber, to: channel, since: .start, hearsPresence: false) { _ in
        answered += 1
      }
    }
    while answered < channels.count { loop.advanceTime(by: .milliseconds(1)) }
    reader.setReading(false)
    loop.advanceTime(by: .seconds(5))
    var had: [String: Int] = [:]
    func read() throws {
      for event in try reader.events() {
        let offset = Cursor(event["cursor"]!.string!)!.offset
        let channel = event["channel"]!.string!
        #expect(offset == UInt64(had[channel, default: 0] + 1))
        had[channel, default: 0] += 1
      }
    }
    try read()
    // A page has as many messages as are taken for 4,000 bytes: at the most 20.
    #expect(had.values.reduce(0, +) <= Int(settings.readsAtOnce) * 20)
    reader.setReading(true)
    loop.advanceTime(by: .seconds(5))
    try read()
    #expect(had.count == 40 && had.values.allSatisfy { $0 == 50 })
  }

  /// Asking what a log holds costs a message, not all that it holds.
  @Test func whoAsksForEverythingAndGoesCostsLittle() throws {
    var settings = DeliverySettings()
    settings.ringBytes = 8_000
    let shard = shard(settings)
    let port = try #require(shard.port as? FaultyPort)
    let channel = ChannelName("room:a")!
    publish(100, bytes: 1_000, in: [channel], by: shard)
    let reader = try Reader(loop: loop, shard: shard)
    for _ in 0..<10 {
      var isAnswered = false
      shard.subscribe(reader.subscriber, to: channel, since: .start, hearsPresence: false) { _ in
        isAnswered = true
      }
      while !isAnswered { loop.advanceTime(by: .milliseconds(1)) }
      #expect(shard.unsubscribe(reader.subscriber, from: channel))
    }
    loop.advanceTime(by: .seconds(1))
    #expect(port.bytesRead <= 10 * 1_000)
  }

  /// The limit of all rings holds also where each is as short as it can be.
  @Test func ringsOfOneMessageKeepTheLimit() throws {
    var settings = DeliverySettings()
    settings.allRingBytes = 20_000
    let shard = shard(settings)
    let channels = (0..<200).map { ChannelName("room:\($0)")! }
    let reader = try Reader(loop: loop, shard: shard)
    for channel in channels {
      shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: false) { _ in }
    }
    loop.run()
    for channel in channels {
      publish(1, bytes: 200, in: [channel], by: shard)
      #expect(metrics.ringBytes.value <= 20_000)
    }
    #expect(metrics.ringBytes.value > 10_000)
    #expect(try reader.events().count == channels.count)
  }

  /// A reader that takes little takes it from each of its channels in turn.
  @Test func aBusyChannelDoesNotKeepTheOthersWaiting() throws {
    let shard = shard(DeliverySettings())
    let channels = ["room:busy", "room:quiet"].map { ChannelName($0)! }
    let reader = try Reader(loop: loop, shard: shard)
    for channel in channels {
      shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: false) { _ in }
    }
    loop.run()
    reader.setReading(false)
    // The first is written still.
    for _ in 0..<2 { publish(1, bytes: 100, in: channels, by: shard) }
    _ = try reader.events()
    // What is written fills the connection at once.
    reader.fillsAtOnce = true
    var quiet = 0
    for _ in 0..<4 {
      for _ in 0..<3 { publish(1, bytes: 100, in: [channels[0]], by: shard) }
      reader.setReading(true)
      quiet += try reader.events().count { $0["channel"]?.string == "room:quiet" }
    }
    #expect(quiet == 1)
  }

  /// What a handler below takes without a word is bounded: its client may read nothing of it.
  @Test(arguments: [false, true])
  func aSecuredConnectionIsGivenSomeInEachTurn(isStream: Bool) throws {
    var settings = DeliverySettings()
    settings.turnBytes = 2_000
    let shard = shard(settings)
    let channels = (0..<20).map { ChannelName("room:\($0)")! }
    let reader = try Reader(
      loop: loop,
      shard: shard,
      representation: isStream ? .eventStream(isChunked: false) : .webSocket,
      isSecured: true
    )
    for channel in channels {
      shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: false) { _ in }
    }
    loop.run()
    if isStream { shard.start(reader.subscriber) }
    reader.setReading(false)
    for _ in 0..<5 { publish(1, bytes: 200, in: channels, by: shard) }
    // The first of each is written still.
    var heard = try reader.events().count
    // It takes everything, and says nothing of that.
    reader.setReading(true)
    var turns = 0
    while case let events = try reader.events(), !events.isEmpty {
      #expect(events.count < 20, "in one turn")
      heard += events.count
      turns += 1
      loop.advanceTime(by: .milliseconds(1))
    }
    #expect(heard == 5 * channels.count && turns >= 5)
    publish(1, bytes: 200, in: [channels[0]], by: shard)
    #expect(try reader.events().count == 1)
  }

  /// A stream of several channels has what was published together at once, though it is made in pieces.
  @Test func aStreamOfManyNamesHasEverythingAtOnce() throws {
    var settings = DeliverySettings()
    settings.turnBytes = 100
    let shard = shard(settings)
    let channels = ["room:a", "room:b"].map { ChannelName($0)! }
    let reader = try Reader(loop: loop, shard: shard, representation: .eventStream(isChunked: false))
    for channel in channels {
      shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: false) { _ in }
    }
    loop.run()
    shard.start(reader.subscriber)
    publish(20, bytes: 50, in: channels, by: shard)
    #expect(try reader.events().count == 40)
    #expect(metrics.deliveries.value == 40)
    publish(1, bytes: 50, in: channels, by: shard)
    #expect(try reader.events().count == 2)
  }
}
