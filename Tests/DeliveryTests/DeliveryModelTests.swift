import Brokering
import Delivery
import NIOCore
import NIOEmbedded
import Testing
import Wire

/// Random publishes, subscribes, pauses, cuts, trims and lost writes against one shard. Whatever happened, each
/// subscriber had every message in order, or was told of the gap, and ends at the log's end.
struct DeliveryModelTests {
  static let runs = 1_000

  @Test func everySubscriberIsTold() async throws {
    let first = UInt64.random(in: 0..<(1 << 32))
    print("delivery model: \(DeliveryModelTests.runs) runs from seed \(first)")
    for run in 0..<UInt64(DeliveryModelTests.runs) {
      let complaints = try complaints(of: first + run)
      #expect(complaints.isEmpty, "seed \(first + run): \(complaints.prefix(5))")
      if !complaints.isEmpty { return }
      // Other tests wait for a thread.
      await Task.yield()
    }
  }

  /// A run has its loop to itself, from its first turn to its end on one thread.
  private func complaints(of seed: UInt64) throws -> [String] {
    let model = try DeliveryModel(seed: seed)
    try model.run(steps: 60)
    return try model.verdict()
  }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

final class DeliveryModel {
  final class Client {
    let reader: Reader
    var judges: [ChannelName: Judge] = [:]
    var isReading = true

    var isStream: Bool { if case .eventStream = reader.subscriber.representation { true } else { false } }

    init(reader: Reader) {
      self.reader = reader
    }

    /// Each event goes to its channel's judge; an id of a stream names what was had of every channel.
    func takeEvents(log: [ChannelName: [Cursor: String]]) throws {
      let events = try reader.events()
      let ids = reader.ids
      for (index, event) in events.enumerated() {
        let channel = ChannelName(event["channel"]!.string!)!
        judges[channel]!.take(event, log: log[channel] ?? [:])
        guard index < ids.count, event["type"]?.string == "message" else { continue }
        for (named, judge) in judges where judge.mode == .log && ids[index][named] != judge.position {
          judges[named]!.complain("an id names \(ids[index]), and it had \(judge.position!)")
        }
      }
    }

    func setReading(_ isReading: Bool) {
      self.isReading = isReading
      reader.setReading(isReading)
    }
  }

  let loop = EmbeddedEventLoop()
  let shard: DeliveryShard
  let outside: any BrokerPort
  let channels: [ChannelName]
  let namespaces: Namespaces
  var random: Seeded
  var clients: [Client] = []
  var pollers: [Poller] = []
  /// What each cursor names, as the log says.
  var log: [ChannelName: [Cursor: String]] = [:]
  var cursors: [ChannelName: [Cursor]] = [:]
  var published = 0
  private let silent = Silent()

  final class Silent: FeedReceiver {
    func feedArrived(_ batch: [FeedDelivery]) {}
    func feedLost() {}
    func feedRestored(presenceLost: Bool) {}
  }

  init(seed: UInt64) throws {
    random = Seeded(state: seed)
    var short = NamespaceOptions()
    short.history = Int.random(in: 1...12, using: &random)
    var latest = NamespaceOptions()
    latest.delivery = .latest
    namespaces = Namespaces(named: ["short": short, "latest": latest])
    channels = ["long:a", "long:b", "short:a", "latest:a"].map { ChannelName($0)! }
    let broker = FaultyBroker(MemoryBroker(namespaces: namespaces, incarnation: "model/1"))
    var settings = DeliverySettings()
    settings.ringBytes = [600, 4_000, 1 << 20].randomElement(using: &random)!
    settings.readLimit = [2, 7, 1_000].randomElement(using: &random)!
    settings.readBytes = 1_000
    settings.readsAtOnce = Int32.random(in: 1...2, using: &random)
    settings.turnBytes = [1, 300, 64 << 10].randomElement(using: &random)!
    settings.allRingBytes = [2_000, 1 << 20].randomElement(using: &random)!
    shard = DeliveryShard(
      loop: loop,
      broker: broker,
      namespaces: namespaces,
      settings: settings,
      metrics: DeliveryMetrics()
    )
    outside = broker.inner.makePort(on: loop, receiver: silent)
  }

  var port: FaultyPort { shard.port as! FaultyPort }

  func run(steps: Int) throws {
    for _ in 0..<steps {
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<40: publish(Int.random(in: 1...5, using: &random))
      case 40..<55: try subscribe()
      case 55..<60: startPolling()
      case 60..<66: try leave()
      case 66..<78: pause()
      case 78..<84: port.isDeaf.toggle()
      case 84..<88: restoreFeed()
      case 88..<91: port.isDown.toggle()
      case 91..<93: renewEpoch()
      case 93..<97: port.delay = [0, 0, 1, 20].randomElement(using: &random)!
      default: for _ in 0..<[8, 70, 600].randomElement(using: &random)! { shard.secondPassed() }
      }
      loop.advanceTime(by: .milliseconds(Int64.random(in: 0...30, using: &random)))
      try collect()
    }
  }

  /// Ends every fault, the last by a feed that is restored and silent, lets everything settle, and asks the judges.
  func verdict() throws -> [String] {
    port.isDown = false
    port.delay = 0
    port.isDeaf = true
    for channel in channels { publish(1, in: channel) }
    restoreFeed()
    for client in clients where !client.isReading { client.setReading(true) }
    for _ in 0..<200 {
      loop.advanceTime(by: .milliseconds(100))
      try collect()
    }
    return complaintsOfPollers
      + clients.enumerated().flatMap { index, client in
        client.judges.flatMap { channel, judge -> [String] in
          let end = cursors[channel]?.last
          var complaints = judge.complaints
          if judge.position != end {
            complaints.append("ends at \(judge.position.map { "\($0)" } ?? "nothing"), the log at \(end!)")
          }
          return complaints.map { "client \(index) of \(channel): \($0)" }
        }
      }
  }

  private var complaintsOfPollers: [String] {
    pollers.enumerated().flatMap { index, poller -> [String] in
      let end = cursors[poller.channel]?.last
      var complaints = poller.judge.complaints
      if poller.judge.position != end {
        complaints.append("ends at \(poller.judge.position.map { "\($0)" } ?? "nothing"), the log at \(end!)")
      }
      return complaints.map { "poller \(index) of \(poller.channel): \($0)" }
    }
  }

  private func publish(_ count: Int, in named: ChannelName? = nil) {
    let channel = named ?? channels.randomElement(using: &random)!
    for _ in 0..<count {
      published += 1
      let data = "\"\(published)\(String(repeating: ".", count: Int.random(in: 0...60, using: &random)))\""
      outside.publish(Publication(channel: channel, data: ByteBuffer(string: data))) { [self] in
        guard case .success(let receipt) = $0 else { return }
        log[channel, default: [:]][receipt.cursor!] = data
        cursors[channel, default: []].append(receipt.cursor!)
      }
    }
    loop.run()
  }

  private func subscribe() throws {
    let isStream = Int.random(in: 0..<3, using: &random) == 0
    let reader = try Reader(
      loop: loop,
      shard: shard,
      representation: isStream ? .eventStream(isChunked: false) : .webSocket,
      isSecured: Bool.random(using: &random)
    )
    let client = Client(reader: reader)
    clients.append(client)
    let wanted = channels.shuffled(using: &random).prefix(Int.random(in: 1...channels.count, using: &random))
    var waiting = wanted.count
    for channel in wanted {
      let since = anySince(in: channel)
      let mode = namespaces[channel].delivery
      client.judges[channel] = Judge(mode: mode)
      shard.subscribe(reader.subscriber, to: channel, since: since, hearsPresence: false) { [unowned self] in
        if case .success(let answer) = $0 {
          client.judges[channel]!.position = answer.cursor
          if case .cursor(let cursor) = since, mode == .log { client.judges[channel]!.position = cursor }
        } else {
          client.judges[channel] = nil
        }
        waiting -= 1
        guard isStream, waiting == 0 else { return }
        // A stream begins when all its channels are there, or not at all.
        if client.judges.count == wanted.count {
          shard.start(reader.subscriber)
        } else {
          shard.remove(reader.subscriber)
        }
      }
    }
    if Bool.random(using: &random) { client.setReading(false) }
  }

  private func anySince(in channel: ChannelName) -> Since? {
    let known = cursors[channel] ?? []
    return switch Int.random(in: 0..<10, using: &random) {
    case 0..<3: nil
    case 3: .start
    case 4: .cursor(Cursor(Epoch("zzzzzzzz")!, 3))
    case 5: known.last.map { .cursor(Cursor($0.epoch, $0.offset + 3)) }
    default: known.randomElement(using: &random).map { .cursor($0) }
    }
  }

  private func startPolling() {
    let channel = channels.randomElement(using: &random)!
    pollers.append(
      Poller(channel, since: anySince(in: channel), mode: namespaces[channel].delivery, shard: shard)
    )
  }

  /// Takes one channel from one of them, or closes it, and those whose subscribe was refused.
  private func leave() throws {
    guard let client = clients.randomElement(using: &random) else { return }
    if client.judges.count > 1, !client.isStream, Bool.random(using: &random) {
      let channel = client.judges.keys.min()!
      try client.takeEvents(log: log)
      client.judges[channel] = nil
      _ = shard.unsubscribe(client.reader.subscriber, from: channel)
      return shard.flush()
    }
    shard.remove(client.reader.subscriber)
    clients.removeAll { $0.reader.subscriber.subscriptions.isEmpty }
  }

  private func pause() {
    guard let client = clients.randomElement(using: &random) else { return }
    client.setReading(!client.isReading)
  }

  private func restoreFeed() {
    port.isDeaf = false
    shard.feedLost()
    shard.feedRestored(presenceLost: false)
  }

  private func renewEpoch() {
    let channel = channels.randomElement(using: &random)!
    guard let epoch = cursors[channel]?.last?.epoch else { return }
    outside.renewEpoch(of: channel, ifStill: epoch) { _ in }
    loop.run()
    outside.read(channel, .since(.start), limit: 10_000) { [self] in
      guard case .success(let page) = $0 else { return }
      for message in page.messages {
        log[channel, default: [:]][message.cursor] = String(buffer: message.data)
        cursors[channel, default: []].append(message.cursor)
      }
    }
    loop.run()
    publish(1, in: channel)
  }

  private func collect() throws {
    for client in clients {
      try client.takeEvents(log: log)
    }
    clients.removeAll { $0.reader.subscriber.subscriptions.isEmpty }
    for poller in pollers {
      poller.ask()
      try poller.takeAnswer(isLong: Bool.random(using: &random))
      poller.judge(by: log[poller.channel] ?? [:])
      if Int.random(in: 0..<20, using: &random) == 0 { poller.abandon() }
    }
  }
}
