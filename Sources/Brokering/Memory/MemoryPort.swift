import NIOConcurrencyHelpers
import NIOCore
import Wire

/// The in-memory broker as one event loop sees it. Answers come in a later turn of the loop, as Redis's would.
final class MemoryPort: BrokerPort {
  /// Where any loop puts what the feed brings this port; emptied once a turn.
  final class Mailbox: Sendable {
    private let waiting = NIOLockedValueBox<[FeedDelivery]>([])
    let loop: any EventLoop
    private let port: NIOLoopBound<WeakPort>

    init(loop: any EventLoop, port: NIOLoopBound<WeakPort>) {
      self.loop = loop
      self.port = port
    }

    func post(_ item: FeedItem, to channel: ChannelName) {
      let wasEmpty = waiting.withLockedValue { waiting in
        defer {
          if waiting.last?.channel == channel {
            waiting[waiting.count - 1].items.append(item)
          } else {
            waiting.append(FeedDelivery(channel: channel, items: [item]))
          }
        }
        return waiting.isEmpty
      }
      guard wasEmpty else { return }
      loop.execute { [self] in
        let batch = waiting.withLockedValue { waiting in
          defer { waiting = [] }
          return waiting
        }
        port.value.port?.receiver?.feedArrived(batch)
      }
    }
  }

  final class WeakPort {
    weak var port: MemoryPort?
  }

  let mailbox: Mailbox
  var clock: ClusterClock { broker.clock }
  var index = 0
  private let broker: MemoryBroker
  private let loop: any EventLoop
  private weak var receiver: (any FeedReceiver)?

  init(broker: MemoryBroker, loop: any EventLoop, receiver: any FeedReceiver) {
    self.broker = broker
    self.loop = loop
    self.receiver = receiver
    let weakPort = WeakPort()
    mailbox = Mailbox(loop: loop, port: NIOLoopBound(weakPort, eventLoop: loop))
    weakPort.port = self
  }

  func publish(_ publication: Publication, _ done: @escaping (Result<Receipt, BrokerError>) -> Void) {
    let result = broker.publish(publication)
    loop.assumeIsolated().execute { done(result) }
  }

  func attach(_ channel: ChannelName, _ done: @escaping (Result<LogPosition?, BrokerError>) -> Void) {
    let position: LogPosition? = broker.state.withLockedValue { state in
      broker.attach(channel, port: index, true, in: &state)
      guard broker.namespaces[channel].delivery != .ephemeral else { return nil }
      return broker.withLog(of: channel, in: &state) { $0.position }
    }
    answer(position, done)
  }

  func detach(_ channel: ChannelName) {
    broker.state.withLockedValue { broker.attach(channel, port: index, false, in: &$0) }
  }

  func read(
    _ channel: ChannelName,
    _ range: HistoryRange,
    limit: Int,
    _ done: @escaping (Result<LogPage, BrokerError>) -> Void
  ) {
    let page = broker.state.withLockedValue { state in
      guard state.logs[channel] != nil else { return LogPage(position: nil, messages: []) }
      return broker.withLog(of: channel, in: &state) { $0.page(range, limit: limit) }
    }
    answer(page, done)
  }

  func verify(
    _ expected: [(channel: ChannelName, last: MessageMark?)],
    _ done: @escaping (Result<[LogPosition], BrokerError>) -> Void
  ) {
    let positions = broker.state.withLockedValue { state in
      expected.map { broker.withLog(of: $0.channel, in: &state) { $0.position } }
    }
    answer(positions, done)
  }

  func renewEpoch(
    of channel: ChannelName,
    ifStill stale: Epoch,
    _ done: @escaping (Result<LogPosition, BrokerError>) -> Void
  ) {
    let position = broker.state.withLockedValue { state in
      broker.withLog(of: channel, in: &state) { log in
        if log.epoch == stale { log.renewEpoch() }
        return log.position
      }
    }
    answer(position, done)
  }

  func join(
    _ channel: ChannelName,
    _ member: Member,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    broker.state.withLockedValue { state in
      let isNew = state.presence[channel, default: MemoryPresence()].join(member, holder: holder)
      if isNew, broker.namespaces[channel].presenceEvents != .off {
        broker.send(.join(member), to: channel, in: &state)
      }
    }
    answer((), done)
  }

  func leave(
    _ channel: ChannelName,
    memberID: String,
    holder: HolderID,
    _ done: @escaping (Result<Void, BrokerError>) -> Void
  ) {
    broker.state.withLockedValue { state in
      let member = state.presence[channel]?.leave(memberID, holder: holder)
      if let member, broker.namespaces[channel].presenceEvents != .off {
        broker.send(.leave(member), to: channel, in: &state)
      }
      if state.presence[channel]?.isEmpty == true { state.presence[channel] = nil }
    }
    answer((), done)
  }

  func members(
    of channel: ChannelName,
    limit: Int,
    after: String?,
    _ done: @escaping (Result<PresencePage, BrokerError>) -> Void
  ) {
    let presence = broker.state.withLockedValue { $0.presence[channel] } ?? MemoryPresence()
    answer(presence.page(limit: limit, after: after), done)
  }

  func connect(user: String, limit: Int, _ done: @escaping (Bool) -> Void) {
    let isIn = broker.state.withLockedValue { state in
      guard state.users[user] < limit else { return false }
      state.users.add(user)
      return true
    }
    loop.assumeIsolated().execute { done(isIn) }
  }

  func disconnect(user: String) {
    broker.state.withLockedValue { $0.users.remove(user) }
  }

  private func answer<Answer>(
    _ answer: Answer,
    _ done: @escaping (Result<Answer, BrokerError>) -> Void
  ) {
    loop.assumeIsolated().execute { done(.success(answer)) }
  }
}

@available(*, unavailable) extension MemoryPort: Sendable {}
