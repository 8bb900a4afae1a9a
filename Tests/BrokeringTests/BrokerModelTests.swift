import Brokering
import NIOCore
import NIOPosix
import Testing
import Wire

/// Random publishes, keys, reads, pages and new epochs, the same on both brokers: every answer is the same, and
/// so is what the feed brings, but for the names of the epochs.
@Suite(.serialized)
struct BrokerModelTests {
  static let runs = 1_000
  static let steps = 15

  @Test func bothBrokersAnswerAlike() async throws {
    let cluster = try await RedisCluster()
    let (redis, far) = try await cluster.node("one")
    let memory = MemoryBroker(namespaces: BrokerSuite.namespaces, incarnation: "one/1")
    let near = try await PortProbe.make(memory, on: MultiThreadedEventLoopGroup.singleton.next())
    let first = UInt64.random(in: 0..<(1 << 32))
    print("broker model: \(BrokerModelTests.runs) runs from seed \(first)")
    for run in 0..<UInt64(BrokerModelTests.runs) {
      var random = Dice(state: first + run)
      let channel = ChannelName("\(["long", "short", "latest"].randomElement(using: &random)!):\(run)")!
      var left = Transcript(port: near, channel: channel)
      var right = Transcript(port: far, channel: channel)
      for _ in 0..<BrokerModelTests.steps {
        let step = Step.random(using: &random)
        let expected = try await left.perform(step)
        let actual = try await right.perform(step)
        #expect(expected == actual, "seed \(first + run), \(step)")
        if expected != actual { return }
      }
      let expected = try await left.feed()
      #expect(try await right.feed() == expected, "seed \(first + run)")
    }
    await redis.shutdown()
  }
}

/// SplitMix64.
struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

/// One call of a port. Cursors name an epoch by its number, in the order in which the epochs were seen.
enum Step {
  case attach
  case publish(key: Int?)
  case newest(Int), start(Int)
  case since(epoch: Int, UInt64, Int), before(epoch: Int, UInt64, Int)
  case renew(epoch: Int)

  static func random(using dice: inout Dice) -> Step {
    let limit = Int.random(in: 1...8, using: &dice)
    let epoch = Int.random(in: 0...1, using: &dice)
    let offset = UInt64.random(in: 0...9, using: &dice)
    switch Int.random(in: 0..<20, using: &dice) {
    case 0..<2: return .attach
    case 2..<9: return .publish(key: nil)
    case 9..<12: return .publish(key: Int.random(in: 0..<4, using: &dice))
    case 12: return .newest(limit)
    case 13: return .start(limit)
    case 14..<16: return .since(epoch: epoch, offset, limit)
    case 16..<18: return .before(epoch: epoch, offset, limit)
    default: return .renew(epoch: epoch)
    }
  }
}

/// What one broker answered, with the epochs' names replaced by their numbers.
struct Transcript {
  let port: PortProbe
  let channel: ChannelName
  private var epochs: [Epoch] = []
  private var published = 0
  private var isAttached = false

  init(port: PortProbe, channel: ChannelName) {
    self.port = port
    self.channel = channel
  }

  mutating func perform(_ step: Step) async throws -> String {
    let channel = channel
    switch step {
    case .attach:
      guard !isAttached else { return "" }
      isAttached = true
      return try await text(port.attach(channel))
    case .publish(let key):
      published += 1
      let receipt = try await port.publish(channel, "\(published)", key: key.map(String.init))
      return "\(text(receipt.cursor)) \(receipt.isRepeated)"
    case .newest(let limit): return text(try await port.read(channel, .newest, limit: limit))
    case .start(let limit): return text(try await port.read(channel, .since(.start), limit: limit))
    case .since(let epoch, let offset, let limit):
      guard epochs.indices.contains(epoch) else { return "" }
      let cursor = Cursor(epochs[epoch], offset)
      return text(try await port.read(channel, .since(.cursor(cursor)), limit: limit))
    case .before(let epoch, let offset, let limit):
      guard epochs.indices.contains(epoch) else { return "" }
      return text(try await port.read(channel, .before(Cursor(epochs[epoch], offset)), limit: limit))
    case .renew(let epoch):
      guard epochs.indices.contains(epoch) else { return "" }
      let stale = epochs[epoch]
      let position = try await port.ask { port, done in port.renewEpoch(of: channel, ifStill: stale, done) }
      return text(position)
    }
  }

  /// What the feed has brought, once a last message, published now, has come.
  mutating func feed() async throws -> [String] {
    guard isAttached else { return [] }
    let last = try await port.publish(channel, "\"last\"").cursor!.offset
    let channel = channel
    try await port.wait { recorder in
      recorder.items.contains { item in
        guard item.0 == channel, case .message(let message) = item.1 else { return false }
        return message.cursor.offset == last && String(buffer: message.data) == "\"last\""
      }
    }
    let items = try await port.items(channel)
    try await port.detach(channel)
    return items
  }

  private mutating func text(_ cursor: Cursor?) -> String {
    guard let cursor else { return "none" }
    if !epochs.contains(cursor.epoch) { epochs.append(cursor.epoch) }
    return "\(epochs.firstIndex(of: cursor.epoch)!).\(cursor.offset)"
  }

  private mutating func text(_ position: LogPosition?) -> String {
    guard let position else { return "none" }
    return "\(text(position.cursor)) from \(position.oldest)"
  }

  private mutating func text(_ page: LogPage) -> String {
    let position = text(page.position)
    let messages = page.messages.map { "\(text($0.cursor)):\(String(buffer: $0.data))" }
    return "\(position) \(messages)"
  }
}
