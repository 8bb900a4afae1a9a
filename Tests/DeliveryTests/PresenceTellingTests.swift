import Brokering
import Delivery
import NIOCore
import NIOEmbedded
import Testing
import Wire

/// Joins and leaves as listeners hear them.
struct PresenceTellingTests {
  private final class Room {
    let loop = EmbeddedEventLoop()
    let shard: DeliveryShard
    let channel = ChannelName("room:a")!

    init(_ events: PresenceEvents, settings: DeliverySettings = DeliverySettings()) {
      var options = NamespaceOptions()
      options.presenceEvents = events
      let namespaces = Namespaces(fallback: options)
      shard = DeliveryShard(
        loop: loop,
        broker: MemoryBroker(namespaces: namespaces, incarnation: "one/1"),
        namespaces: namespaces,
        settings: settings,
        metrics: DeliveryMetrics()
      )
    }

    func listener() throws -> Reader {
      let reader = try Reader(loop: loop, shard: shard)
      shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: true) { _ in }
      loop.run()
      return reader
    }

    /// A stream of several channels.
    func streamListener(isSecured: Bool = false) throws -> Reader {
      let reader = try Reader(
        loop: loop,
        shard: shard,
        representation: .eventStream(isChunked: false),
        isSecured: isSecured
      )
      for channel in [channel, ChannelName("room:b")!] {
        shard.subscribe(reader.subscriber, to: channel, since: nil, hearsPresence: true) { _ in }
      }
      loop.run()
      shard.start(reader.subscriber)
      return reader
    }

    func join(_ id: String) {
      shard.port.join(channel, Member(id: id, since: 1), holder: HolderID(serial: 1)) { _ in }
      loop.run()
    }

    func leave(_ id: String) {
      shard.port.leave(channel, memberID: id, holder: HolderID(serial: 1)) { _ in }
      loop.run()
    }
  }

  private func heard(_ reader: Reader) throws -> [String] {
    try reader.events().compactMap { event in
      guard let id = event["member"]?.string else { return nil }
      return event["type"]?.string == "join" ? "+\(id)" : "-\(id)"
    }
  }

  @Test func eachIsToldAtOnce() throws {
    let room = Room(.each)
    let reader = try room.listener()
    room.join("a")
    #expect(try heard(reader) == ["+a"])
    room.leave("a")
    room.join("a")
    #expect(try heard(reader) == ["-a", "+a"])
  }

  @Test func aSecondIsToldTogether() throws {
    let room = Room(.batched)
    let reader = try room.listener()
    room.join("a")
    room.loop.advanceTime(by: .milliseconds(900))
    room.join("b")
    room.join("c")
    room.leave("b")
    #expect(try heard(reader) == [])
    room.loop.advanceTime(by: .milliseconds(100))
    // Of b only how it ended: somebody may have read the members meanwhile.
    #expect(try heard(reader) == ["+a", "+c", "-b"])
    room.loop.advanceTime(by: .seconds(5))
    room.leave("a")
    room.join("a")
    room.loop.advanceTime(by: .seconds(1))
    #expect(try heard(reader) == ["+a"])
  }

  @Test func whereTheyAreOffNothingIsHeard() throws {
    let room = Room(.off)
    let reader = try room.listener()
    room.join("a")
    room.leave("a")
    room.loop.advanceTime(by: .seconds(2))
    #expect(try heard(reader) == [])
  }

  /// Whoever cannot take it is told later, and of each member only the last.
  @Test func aSlowListenerIsToldWhenItReads() throws {
    let room = Room(.each)
    let slow = try room.listener()
    let quick = try room.listener()
    room.join("a")
    slow.setReading(false)
    room.join("b")
    room.leave("a")
    room.join("c")
    room.leave("c")
    #expect(try heard(slow) == ["+a"])
    #expect(try heard(quick) == ["+a", "+b", "-a", "+c", "-c"])
    slow.setReading(true)
    #expect(try heard(slow) == ["+b", "-a", "-c"])
    room.join("d")
    #expect(try heard(slow) == ["+d"])
  }

  /// What nobody reads does not grow without end; who can still be told everything is.
  @Test func whoLeavesTooMuchUnreadIsTooSlow() throws {
    var settings = DeliverySettings()
    settings.missedPresence = 10
    let room = Room(.each, settings: settings)
    let (slow, slower) = (try room.listener(), try room.listener())
    var tooSlow: [String] = []
    slow.subscriber.onTooSlow = { tooSlow.append("slow") }
    slower.subscriber.onTooSlow = { tooSlow.append("slower") }
    slower.setReading(false)
    for id in 0..<8 { room.join("a\(id)") }
    slow.setReading(false)
    // The same members again and again are no more than they were.
    for _ in 0..<20 {
      room.leave("a7")
      room.join("a7")
    }
    #expect(tooSlow.isEmpty)
    for id in 0..<3 { room.join("b\(id)") }
    #expect(tooSlow == ["slower"])
    _ = try heard(slow)
    slow.setReading(true)
    #expect(try heard(slow) == ["+a7", "+b0", "+b1", "+b2"])
  }

  /// However much has happened in a second, a secured stream is told it in pieces, and in order.
  @Test func aTurnOfTheLoopMakesNoMoreThanAPiece() throws {
    var settings = DeliverySettings()
    settings.turnBytes = 1_000
    settings.missedPresence = 10
    let room = Room(.batched, settings: settings)
    let stream = try room.streamListener(isSecured: true)
    stream.subscriber.onTooSlow = { Issue.record("nobody had the time to read it") }
    let all = (0..<100).map { "m\($0)" }
    for id in all { room.join(id) }
    room.leave("m0")
    room.loop.advanceTime(by: .seconds(1))
    var told = try heard(stream)
    #expect((1...10).contains(told.count))
    room.loop.advanceTime(by: .milliseconds(1))
    let next = try heard(stream)
    #expect((1...10).contains(next.count))
    told += next
    room.loop.advanceTime(by: .milliseconds(100))
    told += try heard(stream)
    #expect(told == all.dropFirst().map { "+\($0)" } + ["-m0"])
    room.join("late")
    room.loop.advanceTime(by: .seconds(1))
    #expect(try heard(stream) == ["+late"])
  }

  /// A connection that fills is given no more than it takes.
  @Test func aStreamThatFillsIsToldTheRestWhenItReads() throws {
    let room = Room(.batched)
    let stream = try room.streamListener()
    stream.fillsAtOnce = true
    let all = (0..<50).map { "m\($0)" }
    for id in all { room.join(id) }
    room.loop.advanceTime(by: .seconds(1))
    var told = try heard(stream)
    // The first waits alone for the flush, and the second shows that there is no more room.
    #expect(told.count == 2)
    room.loop.advanceTime(by: .seconds(1))
    stream.fillsAtOnce = false
    stream.setReading(true)
    told += try heard(stream)
    #expect(told == all.map { "+\($0)" })
  }

  /// A poll collects about as much as it may answer, and no more.
  @Test func aPollTakesNoMoreThanItAnswers() throws {
    let room = Room(.batched)
    let poll = Subscriber(.poll(limit: 300), isStarted: false)
    room.shard.subscribe(poll, to: room.channel, since: nil, hearsPresence: true) { _ in }
    room.loop.run()
    poll.onCollected = {}
    room.shard.start(poll)
    for id in 0..<50 { room.join("m\(id)") }
    room.loop.advanceTime(by: .seconds(2))
    #expect((300..<500).contains(poll.takeCollected().readableBytes))
    room.shard.remove(poll)
  }

  @Test(arguments: [PresenceEvents.each, .batched])
  func everyListenerEndsWithTheTruth(events: PresenceEvents) async throws {
    let first = UInt64.random(in: 0..<(1 << 32))
    print("presence telling, \(events.rawValue): 500 runs from seed \(first)")
    for seed in first..<(first + 500) {
      // Other tests wait for a thread.
      await Task.yield()
      var random = Seeded(state: seed)
      var settings = DeliverySettings()
      settings.turnBytes = [1, 300, 64 << 10].randomElement(using: &random)!
      let room = Room(events, settings: settings)
      var truth: Set<String> = []
      var listeners: [(reader: Reader, told: Set<String>, isReading: Bool)] = []
      func hear() throws {
        for index in listeners.indices {
          for event in try heard(listeners[index].reader) {
            let id = String(event.dropFirst())
            if event.hasPrefix("+") {
              listeners[index].told.insert(id)
            } else {
              listeners[index].told.remove(id)
            }
          }
        }
      }
      for _ in 0..<60 {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<6:
          let id = "m\(Int.random(in: 0..<8, using: &random))"
          if truth.insert(id).inserted {
            room.join(id)
          } else {
            truth.remove(id)
            room.leave(id)
          }
        case 6:
          let isStream = Bool.random(using: &random)
          let isSecured = Bool.random(using: &random)
          let reader = try isStream ? room.streamListener(isSecured: isSecured) : room.listener()
          listeners.append((reader, truth, true))
        case 7..<9:
          guard let index = listeners.indices.randomElement(using: &random) else { continue }
          listeners[index].isReading.toggle()
          listeners[index].reader.setReading(listeners[index].isReading)
        default: room.loop.advanceTime(by: .milliseconds(.random(in: 0...1_500, using: &random)))
        }
        try hear()
      }
      room.loop.advanceTime(by: .seconds(2))
      for index in listeners.indices {
        listeners[index].reader.setReading(true)
        room.loop.advanceTime(by: .seconds(1))
        try hear()
        #expect(listeners[index].told == truth, "seed \(seed), listener \(index)")
        if listeners[index].told != truth { return }
      }
    }
  }
}
