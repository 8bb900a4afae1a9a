import Logging
import NIOCore
import RedisClient
import Wire

/// What a broker has once: the feed, presence and the node's lease. Confined to one loop.
final class RedisBrokerCore {
  let settings: RedisBrokerSettings
  let loop: any EventLoop
  let link: RedisLink
  let feed: RedisFeed
  let status: RedisBrokerStatus
  let clock: ClusterClock
  let gate: RedisGate
  let namespaces: Namespaces
  let logger: Logger
  var ports: [(index: Int, door: RedisPortDoor)] = []

  /// By the name of the feed.
  var topics: [String: RedisTopic] = [:]
  /// Topics with attaches that wait.
  var awaited: [String: RedisTopic] = [:]
  /// Topics to which nobody is attached.
  var lingering: [String: RedisTopic] = [:]

  var lease: RedisLease
  var announced = ByteBuffer(string: "{}")
  /// Since when the lease has been valid without a break.
  var leaseSince: NIODeadline?
  var probe = RedisProbe()
  /// The receivers know that the feed is cut.
  var isLost = true
  /// The lease was lost since the receivers heard of a restoration.
  var presenceLost = false
  var presence = RedisHeldPresence()
  var leavePause: RedisLeavePause
  /// Leases of this node that are over.
  var former: [RedisFormerLease] = []
  var rosters = RedisRosterQueue()
  /// Which run of which server the link was connected to last.
  var serverRun: String?
  var commands = RedisCommands()
  /// What backends are to be told of.
  var notes = EventNotes()
  /// Connections of users here, and the nodes whose counts are valid.
  var users = UserCounts()
  /// Users whose count has changed and is not known to be written.
  var owedUsers: Set<ExactText> = []
  var living: Set<String> = []
  var nextLiving = NIODeadline.uptimeNanoseconds(0)
  var isSweeping = false
  var nextHeartbeat = NIODeadline.uptimeNanoseconds(0)
  var nextKeep = NIODeadline.uptimeNanoseconds(0)
  var nextEpochKeep: NIODeadline
  /// Channels of which the epochs are still to be kept on, this time; those of which presence is; and users whose counts
  /// are to be written anew.
  var epochsToKeep = RedisUpkeep<ChannelName>()
  var presenceToKeep = RedisUpkeep<ChannelName>()
  var usersToTell = RedisUpkeep<String>()

  private var starting: EventLoopPromise<Void>?
  private var timer: Scheduled<Void>?
  private(set) var isClosed = false

  init(
    _ settings: RedisBrokerSettings,
    namespaces: Namespaces,
    incarnation: String,
    on loop: any EventLoop,
    status: RedisBrokerStatus,
    clock: ClusterClock,
    metrics: BrokerMetrics,
    logger: Logger
  ) {
    self.settings = settings
    self.loop = loop
    self.status = status
    self.clock = clock
    self.namespaces = namespaces
    self.logger = logger
    lease = RedisLease(incarnation: incarnation)
    leavePause = RedisLeavePause(rejoin: settings.rejoin)
    nextEpochKeep = .now() + settings.epochKeep
    var redis = settings.redis
    // Everybody may come or go at once.
    redis.maximumPending = max(redis.maximumPending, 1 << 18)
    link = RedisLink(redis, on: loop, logger: logger)
    gate = RedisGate(link, settings.breaker, metrics)
    feed = RedisFeed(redis, on: loop, logger: logger)
    link.onState = { [weak self] state in self?.linkChanged(state) }
    feed.onConfirmed = { [weak self] names in self?.confirmed(names) }
    feed.onMessages = { [weak self] messages in self?.arrived(messages) }
    feed.onUp = { [weak self] in self?.feedUp() }
    feed.onDown = { [weak self] error in self?.feedDown(error) }
  }

  /// The promise is kept when the node can serve, or broken when it never will.
  func start(_ promise: EventLoopPromise<Void>) {
    guard starting == nil, timer == nil, !isClosed else {
      return promise.fail(BrokerError(.broken, "the broker was started before"))
    }
    starting = promise
    feed.subscribe([RedisKeys.probe(lease.incarnation), RedisKeys.commands(to: lease.incarnation)])
    link.start()
    feed.start()
    armTimer()
  }

  /// Takes what this node holds out of presence, ends its lease and closes. While leaves have to wait, the lease is
  /// left to run out instead, and what it holds to the node that sweeps it then.
  func shutdown(_ promise: EventLoopPromise<Void>) {
    guard !isClosed else { return promise.succeed() }
    isClosed = true
    timer?.cancel()
    isStarted(.failure(BrokerError(.unavailable, "the broker was shut down")))
    failCommands(BrokerError(.unavailable, "this node stops"))
    let name = lease.name
    let finish = { [self] in
      status.core("shut down")
      status.feed("shut down")
      for (_, door) in ports { door.enter { $0.close() } }
      feed.close()
      link.close().cascade(to: promise)
    }
    guard link.state == .ready, lease.isTaken else { return finish() }
    sendLastNotes()
    guard !leavesWait(now: .now()) else { return link.send(["PING"]) { _ in finish() } }
    sweep(name) { _ in finish() }
  }

  private func isStarted(_ result: Result<Void, BrokerError>) {
    starting?.completeWith(result.mapError { $0 })
    starting = nil
  }

  private func linkChanged(_ state: RedisLink.State) {
    switch state {
    case .connecting, .closed: break
    case .ready:
      gate.linkIsReady()
      leavePause.redisAnswers(now: .now())
      identifyServer { [weak self] in
        self?.beat()
        self?.payOwedUsers()
      }
    case .down(let error):
      gate.linkIsDown(because: error)
      status.core(error.description)
      leaseSince = nil
      leavePause.redisFailed()
      giveUpStarting(error)
    }
  }

  /// What will not be better by waiting ends the start.
  func giveUpStarting(_ error: RedisError) {
    switch error {
    case .server(let reply) where reply.prefix != "ERR": break
    case .authentication, .protocolViolation, .server:
      isStarted(.failure(BrokerError(.broken, error.description)))
    default: break
    }
  }

  /// Written and heard: the node can serve.
  func checkStarted() {
    if lease.isTaken, !isLost { isStarted(.success(())) }
  }

  // MARK: Time

  private func armTimer() {
    let sweep = settings.sweep
    timer = loop.assumeIsolated().scheduleTask(in: sweep) { [weak self] in
      guard let self, !isClosed else { return }
      tick(now: .now())
      armTimer()
    }
  }

  private func tick(now: NIODeadline) {
    if now >= nextHeartbeat { beat() }
    checkProbe(now: now)
    endLingering(now: now)
    failLateAttaches(now: now)
    sweepDead(now: now)
    sweepFormer(now: now)
    checkRosters(now: now)
    payOwedLeaves(now: now)
    payOwedUsers()
    keepPresence(now: now)
    keepUsers(now: now)
    tellSomeUsers()
    keepEpochs(now: now)
  }
}

@available(*, unavailable) extension RedisBrokerCore: Sendable {}
