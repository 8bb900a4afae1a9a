import Brokering
import NIOCore
import Wire

/// The in-memory broker behind a feed that loses things and a store that cannot always be reached.
final class FaultyBroker: Broker {
  let inner: MemoryBroker

  init(_ inner: MemoryBroker) {
    self.inner = inner
  }

  func makePort(on loop: any EventLoop, receiver: any FeedReceiver) -> any BrokerPort {
    let port = FaultyPort(loop: loop, receiver: receiver)
    port.inner = inner.makePort(on: loop, receiver: port)
    return port
  }

  func start() async throws {}
  func shutdown() async {}
  var health: BrokerHealth { inner.health }
  var clock: ClusterClock { inner.clock }
  var metrics: BrokerMetrics { inner.metrics }
  func nodes() async throws(BrokerError) -> [NodeRecord] { try await inner.nodes() }
  func announce(_ state: ByteBuffer) { inner.announce(state) }
}

final class FaultyPort: BrokerPort, FeedReceiver {
  var inner: (any BrokerPort)!
  private weak var receiver: (any FeedReceiver)?
  private let loop: any EventLoop
  /// The feed drops what it brings.
  var isDeaf = false
  /// Everything but the feed fails.
  var isDown = false
  /// How many turns of the loop an answer is late.
  var delay = 0
  var reads = 0
  /// How much data of messages the pages had.
  var bytesRead = 0
  /// The log lacks these, and does not know it.
  var hole: ClosedRange<UInt64>?
  var clock: ClusterClock { inner.clock }

  init(loop: any EventLoop, receiver: any FeedReceiver) {
    self.loop = loop
    self.receiver = receiver
  }

  func feedArrived(_ batch: [FeedDelivery]) {
    if !isDeaf { receiver?.feedArrived(batch) }
  }
  func feedLost() { receiver?.feedLost() }
  func feedRestored(presenceLost: Bool) { receiver?.feedRestored(presenceLost: presenceLost) }

  func publish(_ publication: Publication, _ done: @escaping (Result<Receipt, BrokerError>) -> Void) {
    inner.publish(publication, done)
  }
  func attach(_ channel: ChannelName, _ done: @escaping (Result<LogPosition?, BrokerError>) -> Void) {
    if isDown { fail(done) } else { inner.attach(channel, late(done)) }
  }
  func detach(_ channel: ChannelName) { inner.detach(channel) }
  func read(
    _ channel: ChannelName,
    _ range: HistoryRange,
    limit: Int,
    _ done: @escaping (Result<LogPage, BrokerError>) -> Void
  ) {
    reads += 1
    if isDown { return fail(done) }
    let done = late(done)
    inner.read(channel, range, limit: limit) { [self, hole] result in
      if case .success(let page) = result {
        bytesRead += page.messages.reduce(0) { $0 + $1.data.readableBytes }
      }
      done(
        result.map { page in
          let messages = page.messages.filter { hole?.contains($0.cursor.offset) != true }
          return LogPage(position: page.position, messages: messages)
        }
      )
    }
  }
  func verify(
    _ expected: [(channel: ChannelName, last: MessageMark?)],
    _ done: @escaping (Result<[LogPosition], BrokerError>) -> Void
  ) {
    if isDown { fail(done) } else { inner.verify(expected, late(done)) }
  }
  func renewEpoch(
    of channel: ChannelName,
    ifStill stale: Epoch,
    _ done: @escaping (Result<LogPosition, BrokerError>) -> Void
  ) {
    if isDown { fail(done) } else { inner.renewEpoch(of: channel, ifStill: stale, late(done)) }
  }
  func join(
    _ channel: ChannelName,
    _ member: Member,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    inner.join(channel, member, holder: holder, done)
  }
  func leave(
    _ channel: ChannelName,
    memberID: String,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    inner.leave(channel, memberID: memberID, holder: holder, done)
  }
  func members(
    of channel: ChannelName,
    limit: Int,
    after: String?,
    _ done: @escaping (Result<PresencePage, BrokerError>) -> Void
  ) {
    inner.members(of: channel, limit: limit, after: after, done)
  }

  private func fail<Answer>(_ done: @escaping (Result<Answer, BrokerError>) -> Void) {
    loop.assumeIsolated().execute { done(.failure(BrokerError(.unavailable, "down"))) }
  }

  /// The answer was true when it was made, and arrives later.
  private func late<Answer>(
    _ done: @escaping (Result<Answer, BrokerError>) -> Void
  ) -> (Result<Answer, BrokerError>) -> Void {
    guard delay > 0 else { return done }
    let delay = delay
    return { [loop] answer in
      loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(delay))) { done(answer) }
    }
  }
}

@available(*, unavailable) extension FaultyPort: Sendable {}
