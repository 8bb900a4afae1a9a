import NIOCore
import RedisClient
import Wire

/// The cluster as one event loop sees it: a connection of its own for the logs, the core for everything else.
final class RedisPort: BrokerPort {
  let loop: any EventLoop
  let namespaces: Namespaces
  let link: RedisLink
  let gate: RedisGate
  let clock: ClusterClock
  private let index: Int
  private let core: RedisCoreDoor
  private let status: RedisBrokerStatus
  private weak var receiver: (any FeedReceiver)?
  private var attached: Set<ChannelName> = []
  /// Many channels may be asked about at once: a flood of names, or all of them when they are checked.
  let positions = RedisTurns(atOnce: RedisBrokerSettings.positionsAtOnce)
  /// What was asked before the first attempt to connect had an end; nil afterwards.
  private var early: [() -> Void]? = []
  private var earlyBytes = 0
  private let mostEarlyBytes: Int

  init(
    index: Int,
    namespaces: Namespaces,
    link: RedisLink,
    gate: RedisGate,
    clock: ClusterClock,
    mostEarlyBytes: Int,
    receiver: any FeedReceiver,
    core: RedisCoreDoor,
    status: RedisBrokerStatus
  ) {
    self.index = index
    self.namespaces = namespaces
    self.link = link
    self.gate = gate
    self.clock = clock
    self.mostEarlyBytes = mostEarlyBytes
    self.receiver = receiver
    self.core = core
    self.status = status
    loop = link.eventLoop
  }

  func start() {
    link.onState = { [weak self] state in self?.linkChanged(state) }
    gate.onChange = { [weak self] problem in self?.gateChanged(problem) }
    status.port(index, "connecting")
    link.start()
  }

  func close() {
    link.close()
  }

  private func linkChanged(_ state: RedisLink.State) {
    switch state {
    case .connecting: return
    case .ready:
      gate.linkIsReady()
      status.port(index, nil)
    case .down(let error):
      gate.linkIsDown(because: error)
      status.port(index, error.description)
    case .closed: status.port(index, "closed")
    }
    guard let early else { return }
    self.early = nil
    earlyBytes = 0
    for work in early { work() }
  }

  private func gateChanged(_ problem: String?) {
    if link.state == .ready { status.port(index, problem) }
  }

  /// Runs a script on this port's connection; waits, once, for the first attempt to make it.
  func evaluate<Answer>(
    _ script: RedisScript,
    keys: [String],
    _ arguments: [RedisArgument],
    publishing bytes: Int? = nil,
    _ done: @escaping (Result<Answer, BrokerError>) -> Void,
    _ read: @escaping (RedisValue) -> Answer?
  ) {
    pass(publishing: bytes, done) { [link, gate] entered in
      link.evaluate(script, keys: keys, arguments: arguments) { reply in
        gate.left(entered, reply)
        let answer = reply.answer(read)
        // First whoever asked, then those behind, of whom nothing is known any more.
        done(answer)
        if case .success = reply, case .failure = answer { gate.answerIsStrange() }
      }
    }
  }

  /// Does it when Redis is there and serves, else refuses it.
  /// - Parameter bytes: of what is published; nil for what is none.
  func pass<Answer>(
    publishing bytes: Int?,
    _ done: @escaping (Result<Answer, BrokerError>) -> Void,
    _ work: @escaping (RedisGate.Pass) -> Void
  ) {
    whenSettled(bytes: bytes ?? 0) { [gate, loop] in
      switch gate.enter(toPublish: bytes != nil) {
      case .success(let pass): work(pass)
      case .failure(let error): loop.assumeIsolated().execute { done(.failure(error)) }
      }
    }
  }

  private func whenSettled(bytes: Int, _ work: @escaping () -> Void) {
    guard let early, early.count < 10_000, earlyBytes + bytes <= mostEarlyBytes else { return work() }
    earlyBytes += bytes
    self.early?.append(work)
  }

  // MARK: The feed

  func attach(_ channel: ChannelName, _ done: @escaping (Result<LogPosition?, BrokerError>) -> Void) {
    attached.insert(channel)
    let answer = RedisReturn<Void>(loop) { [weak self] result in
      guard let self else { return }
      if case .failure(let error) = result { return attachFailed(channel, error, done) }
      guard namespaces[channel].delivery != .ephemeral else { return done(.success(nil)) }
      position(of: channel, expecting: nil) { [weak self] result in
        switch result {
        case .success(let position): done(.success(position))
        case .failure(let error): self?.attachFailed(channel, error, done)
        }
      }
    }
    core.enter { [index] in $0.attach(channel, port: index, answer) }
  }

  private func attachFailed(
    _ channel: ChannelName,
    _ error: BrokerError,
    _ done: (Result<LogPosition?, BrokerError>) -> Void
  ) {
    detach(channel)
    done(.failure(error))
  }

  func detach(_ channel: ChannelName) {
    attached.remove(channel)
    core.enter { [index] in $0.detach(channel, port: index) }
  }

  func feedArrived(_ batch: [FeedDelivery]) {
    let wanted = batch.allSatisfy { attached.contains($0.channel) }
    let batch = wanted ? batch : batch.filter { attached.contains($0.channel) }
    if !batch.isEmpty { receiver?.feedArrived(batch) }
  }

  func feedLost() {
    receiver?.feedLost()
  }

  func feedRestored(presenceLost: Bool) {
    receiver?.feedRestored(presenceLost: presenceLost)
  }

  // MARK: Presence

  func hearPresence(of channel: ChannelName) {
    core.enter { $0.hearPresence(of: channel) }
  }

  func join(
    _ channel: ChannelName,
    _ member: Member,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    let answer = RedisReturn(loop, done)
    core.enter { $0.join(channel, member, holder, answer) }
  }

  func leave(
    _ channel: ChannelName,
    memberID: String,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    let answer = RedisReturn(loop, done)
    core.enter { $0.leave(channel, memberID, holder, answer) }
  }

  func connect(user: String, limit: Int, _ done: @escaping (Bool) -> Void) {
    let answer = RedisReturn<Bool>(loop) { done((try? $0.get()) ?? true) }
    core.enter { $0.connect(user: user, limit: limit, answer) }
  }

  func disconnect(user: String) {
    core.enter { $0.disconnect(user: user) }
  }

  func members(
    of channel: ChannelName,
    limit: Int,
    after: String?,
    _ done: @escaping (Result<PresencePage, BrokerError>) -> Void
  ) {
    let answer = RedisReturn(loop, done)
    core.enter { $0.members(of: channel, limit: limit, after: after, answer) }
  }
}

@available(*, unavailable) extension RedisPort: Sendable {}
