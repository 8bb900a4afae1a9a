public import Logging
import NIOConcurrencyHelpers
public import NIOCore
import RedisClient
public import Wire

/// The broker of a cluster: logs, feed, presence and registry in one Redis.
///
/// One connection listens, one is for presence and the registry, and each port has one for its logs. Feed,
/// presence and registry live on one loop, in `RedisBrokerCore`.
public final class RedisBroker: Broker {
  private let settings: RedisBrokerSettings
  private let namespaces: Namespaces
  private let loop: any EventLoop
  private let core: NIOLoopBoundBox<RedisBrokerCore?>
  private let status = RedisBrokerStatus()
  public let clock = ClusterClock()
  public let metrics = BrokerMetrics()
  private let ports = NIOLockedValueBox(0)
  private let logger: Logger

  /// `incarnation` is the node id, `/`, and a random start id, without spaces. Nothing is connected before
  /// `start`. `loop` is that of the feed.
  public init(
    _ settings: RedisBrokerSettings,
    namespaces: Namespaces,
    incarnation: String,
    on loop: any EventLoop,
    logger: Logger
  ) {
    self.settings = settings
    self.namespaces = namespaces
    self.loop = loop
    self.logger = logger
    core = NIOLoopBoundBox.makeEmptyBox(valueType: RedisBrokerCore.self, eventLoop: loop)
    loop.execute { [core, status, clock, metrics] in
      core.value = RedisBrokerCore(
        settings,
        namespaces: namespaces,
        incarnation: incarnation,
        on: loop,
        status: status,
        clock: clock,
        metrics: metrics,
        logger: logger
      )
    }
  }

  public func makePort(on loop: any EventLoop, receiver: any FeedReceiver) -> any BrokerPort {
    let index = ports.withLockedValue { count in
      defer { count += 1 }
      return count
    }
    let link = RedisLink(settings.redis, on: loop, logger: logger)
    let port = RedisPort(
      index: index,
      namespaces: namespaces,
      link: link,
      gate: RedisGate(link, settings.breaker, metrics),
      clock: clock,
      mostEarlyBytes: settings.earlyBytes,
      receiver: receiver,
      core: RedisCoreDoor(loop: self.loop, core: core),
      status: status
    )
    let door = RedisPortDoor(loop: loop, port: NIOLoopBound(WeakRedisPort(port), eventLoop: loop))
    onCore { $0.ports.append((index, door)) }
    port.start()
    return port
  }

  public func start() async throws {
    let promise = loop.makePromise(of: Void.self)
    onCore { $0.start(promise) }
    try await promise.futureResult.get()
  }

  public func shutdown() async {
    let promise = loop.makePromise(of: Void.self)
    onCore { $0.shutdown(promise) }
    try? await promise.futureResult.get()
  }

  public var health: BrokerHealth { status.health }

  public func nodes() async throws(BrokerError) -> [NodeRecord] {
    try await answer { core, done in core.nodes(done) }
  }

  public func note(_ kinds: Set<ClusterEvent.Kind>) {
    onCore { $0.note(kinds) }
  }

  public func connected(_ holder: HolderID, detail: ByteBuffer) {
    onCore { $0.connected(holder, detail) }
  }

  public func disconnected(_ holder: HolderID) {
    onCore { $0.disconnected(holder) }
  }

  public func events(
    atMost limit: Int,
    for duration: TimeAmount
  ) async throws(BrokerError) -> [ClusterEvent] {
    try await answer { core, done in core.events(atMost: limit, for: duration, done) }
  }

  public func delivered(_ events: [ClusterEvent]) async throws(BrokerError) {
    try await answer { core, done in core.delivered(events, done) }
  }

  public func announce(_ state: ByteBuffer) {
    onCore { $0.announce(state) }
  }

  public func obey(_ carryOut: @escaping @Sendable (ByteBuffer) async -> ByteBuffer) {
    onCore { $0.commands.carryOut = carryOut }
  }

  public func command(
    _ command: ByteBuffer,
    to incarnation: String
  ) async throws(BrokerError) -> ByteBuffer {
    try await answer { core, done in core.command(command, to: incarnation, done) }
  }

  /// What the core answers to a question.
  private func answer<Answer: Sendable>(
    _ ask:
      @escaping @Sendable (
        RedisBrokerCore, @escaping @Sendable (Result<Answer, BrokerError>) -> Void
      ) -> Void
  ) async throws(BrokerError) -> Answer {
    let promise = loop.makePromise(of: Result<Answer, BrokerError>.self)
    onCore { core in ask(core) { promise.succeed($0) } }
    do {
      return try await promise.futureResult.get().get()
    } catch let error as BrokerError {
      throw error
    } catch {
      throw BrokerError(.unavailable, "\(error)")
    }
  }

  private func onCore(_ work: @escaping @Sendable (RedisBrokerCore) -> Void) {
    loop.execute { [core] in
      if let core = core.value { work(core) }
    }
  }
}
