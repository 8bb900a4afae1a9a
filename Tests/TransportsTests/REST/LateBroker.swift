import Brokering
import NIOCore
import Wire

/// The in-memory broker, whose logs answer when they are told to.
final class LateBroker: Broker {
  private let inner = MemoryBroker(namespaces: Namespaces(), incarnation: "late/1")

  func makePort(on loop: any EventLoop, receiver: any FeedReceiver) -> any BrokerPort {
    LatePort(self.inner.makePort(on: loop, receiver: receiver))
  }

  func start() async throws {}
  func shutdown() async {}
  var health: BrokerHealth { self.inner.health }
  var clock: ClusterClock { self.inner.clock }
  var metrics: BrokerMetrics { self.inner.metrics }
  func nodes() async throws(BrokerError) -> [NodeRecord] { try await self.inner.nodes() }
  func announce(_ state: ByteBuffer) { self.inner.announce(state) }
}

final class LatePort: BrokerPort {
  private let inner: any BrokerPort
  private var reads: [() -> Void] = []
  /// A read fails at once, before its caller goes on.
  var isDown = false

  init(_ inner: any BrokerPort) {
    self.inner = inner
  }

  /// Reads without an answer.
  var waiting: Int { self.reads.count }

  /// Answers so many reads, those that came first.
  func answer(_ count: Int = .max) {
    let answered = self.reads.prefix(count)
    self.reads.removeFirst(answered.count)
    for read in answered { read() }
  }

  func read(
    _ channel: ChannelName,
    _ range: HistoryRange,
    limit: Int,
    _ done: @escaping (Result<LogPage, BrokerError>) -> Void
  ) {
    if self.isDown { return done(.failure(BrokerError(.unavailable, "down"))) }
    self.reads.append { [inner] in inner.read(channel, range, limit: limit, done) }
  }

  var clock: ClusterClock { self.inner.clock }

  func publish(_ publication: Publication, _ done: @escaping (Result<Receipt, BrokerError>) -> Void) {
    self.inner.publish(publication, done)
  }

  func attach(_ channel: ChannelName, _ done: @escaping (Result<LogPosition?, BrokerError>) -> Void) {
    self.inner.attach(channel, done)
  }

  func detach(_ channel: ChannelName) { self.inner.detach(channel) }

  func verify(
    _ expected: [(channel: ChannelName, last: MessageMark?)],
    _ done: @escaping (Result<[LogPosition], BrokerError>) -> Void
  ) {
    self.inner.verify(expected, done)
  }

  func renewEpoch(
    of channel: ChannelName,
    ifStill stale: Epoch,
    _ done: @escaping (Result<LogPosition, BrokerError>) -> Void
  ) {
    self.inner.renewEpoch(of: channel, ifStill: stale, done)
  }

  func join(
    _ channel: ChannelName,
    _ member: Member,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    self.inner.join(channel, member, holder: holder, done)
  }

  func leave(
    _ channel: ChannelName,
    memberID: String,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    self.inner.leave(channel, memberID: memberID, holder: holder, done)
  }

  func members(
    of channel: ChannelName,
    limit: Int,
    after: String?,
    _ done: @escaping (Result<PresencePage, BrokerError>) -> Void
  ) {
    self.inner.members(of: channel, limit: limit, after: after, done)
  }
}

@available(*, unavailable)
extension LatePort: Sendable {}
