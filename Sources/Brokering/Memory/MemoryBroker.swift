import NIOConcurrencyHelpers
public import NIOCore
import Telemetry
public import Wire

/// The broker of a node that runs alone: everything in its own memory, the promises of the cluster's broker
/// save surviving a restart. As Redis does, it takes nothing more once it holds what it may.
public final class MemoryBroker: Broker {
  struct State {
    var logs: [ChannelName: MemoryLog] = [:]
    /// Of all logs.
    var weight = 0
    var presence: [ChannelName: MemoryPresence] = [:]
    /// Which ports are attached to a channel, by their index.
    var attached: [ChannelName: Set<Int>] = [:]
    var ports: [MemoryPort.Mailbox] = []
    var announced = ByteBuffer()
    var users = UserCounts()
    var events = MemoryEvents()
    var sweep = Sweep()
  }

  /// How long an idempotency key is remembered, in milliseconds.
  static let keyLifetime: Int64 = 300_000
  /// How long an epoch outlives its last message, in milliseconds.
  static let epochLifetime: Int64 = 86_400_000
  /// How long a log lives to which nothing was ever published, in milliseconds.
  static let emptyLifetime: Int64 = 300_000

  let state = NIOLockedValueBox(State())
  let namespaces: Namespaces
  private let incarnation: String
  private let mostWeight: Int
  let now: @Sendable () -> Int64
  public let clock: ClusterClock
  public let metrics = BrokerMetrics()

  /// - Parameters:
  ///   - bytes: about how much memory its logs may take; then publishes are refused until some of it is forgotten.
  ///   - clock: answers milliseconds since 1970; by default they are those of the broker's own clock.
  public init(
    namespaces: Namespaces,
    incarnation: String,
    holding bytes: Int = .max,
    clock: (@Sendable () -> Int64)? = nil
  ) {
    self.namespaces = namespaces
    self.incarnation = incarnation
    mostWeight = bytes
    let steady = ClusterClock()
    self.clock = steady
    now = clock ?? { steady.milliseconds() }
  }

  public func makePort(on loop: any EventLoop, receiver: any FeedReceiver) -> any BrokerPort {
    let port = MemoryPort(broker: self, loop: loop, receiver: receiver)
    port.index = state.withLockedValue { state in
      state.ports.append(port.mailbox)
      return state.ports.count - 1
    }
    return port
  }

  public func start() async throws {}

  public func shutdown() async {}

  public var health: BrokerHealth { BrokerHealth(canPublish: true, isFed: true) }

  public func nodes() async throws(BrokerError) -> [NodeRecord] {
    [NodeRecord(incarnation: incarnation, isAlive: true, state: state.withLockedValue(\.announced))]
  }

  public func note(_ kinds: Set<ClusterEvent.Kind>) {
    state.withLockedValue { $0.events.kinds = kinds }
  }

  public func connected(_ holder: HolderID, detail: ByteBuffer) {
    state.withLockedValue { $0.events.connected(holder, detail) }
  }

  public func disconnected(_ holder: HolderID) {
    let now = self.now()
    state.withLockedValue { $0.events.disconnected(holder, now) }
  }

  public func ceased() {
    let now = self.now()
    state.withLockedValue { state in
      state.events.allDisconnected(now)
      for channel in state.attached.keys.sorted() { state.events.changed(.channelVacated, channel, now) }
      state.attached = [:]
    }
  }

  public func events(
    atMost limit: Int,
    for duration: TimeAmount
  ) async throws(BrokerError) -> [ClusterEvent] {
    let (events, waiting, dropped) = state.withLockedValue { state in
      (state.events.oldest(limit), state.events.waiting, state.events.takeDropped())
    }
    metrics.eventsWaiting.set(waiting)
    metrics.eventsDropped.add(dropped)
    return events
  }

  public func delivered(_ events: [ClusterEvent]) async throws(BrokerError) {
    state.withLockedValue { $0.events.delivered(events) }
  }

  /// A port is attached to a channel, or not any more.
  func attach(_ channel: ChannelName, port: Int, _ isAttached: Bool, in state: inout State) {
    let wasAttached = state.attached[channel] != nil
    if isAttached {
      state.attached[channel, default: []].insert(port)
    } else {
      state.attached[channel]?.remove(port)
      if state.attached[channel]?.isEmpty == true { state.attached[channel] = nil }
    }
    guard wasAttached != (state.attached[channel] != nil) else { return }
    state.events.changed(isAttached ? .channelOccupied : .channelVacated, channel, now())
  }

  public func announce(_ announced: ByteBuffer) {
    state.withLockedValue { $0.announced = announced }
    beginSweep()
  }

  /// Works on the log of a channel in place, made when there is none, without what has grown too old.
  func withLog<Answer>(
    of channel: ChannelName,
    in state: inout State,
    _ body: (inout MemoryLog) -> Answer
  ) -> Answer {
    let now = self.now()
    let oldest = now - Int64(namespaces[channel].historyTTL) * 1_000
    func work(_ log: inout MemoryLog) -> (Answer, more: Int) {
      let before = log.weight
      log.dropOlder(than: oldest)
      let answer = body(&log)
      return (answer, log.weight - before)
    }
    if state.logs[channel] == nil {
      state.weight += MemoryLog.emptyWeight
      state.sweep.channels.append(channel)
    }
    let (answer, more) = work(&state.logs[channel, default: MemoryLog(now: now)])
    state.weight += more
    return answer
  }

  func publish(_ publication: Publication) -> Result<Receipt, BrokerError> {
    let now = self.now()
    let options = namespaces[publication.channel]
    return state.withLockedValue { state in
      guard options.delivery != .ephemeral else {
        let item = FeedItem.ephemeral(data: publication.data, user: publication.user, time: now)
        send(item, to: publication.channel, in: &state)
        return .success(Receipt(cursor: nil, isRepeated: false))
      }
      let isFull = isFull(state)
      let key = publication.keyOfUser.map(ExactText.init)
      let until = now + MemoryBroker.keyLifetime
      if isFull, state.logs[publication.channel] == nil { return refusal() }
      let taken = withLog(of: publication.channel, in: &state) {
        log -> (message: Message?, receipt: Receipt)? in
        if let key, let known = log.receipts[key], known.until > now {
          return (nil, Receipt(cursor: known.receipt.cursor, isRepeated: true))
        }
        if isFull { return nil }
        let message = log.append(publication, held: options.held, now: now)
        let receipt = Receipt(cursor: message.cursor, isRepeated: false)
        if let key { log.remember(receipt, for: key, until: until) }
        return (message, receipt)
      }
      guard let taken else { return refusal() }
      if let message = taken.message {
        if let key {
          state.sweep.receipts.append(.init(channel: publication.channel, key: key, until: until))
        }
        send(.message(message), to: publication.channel, in: &state)
      }
      return .success(taken.receipt)
    }
  }

  func isFull(_ state: State) -> Bool { state.weight >= mostWeight }

  private func refusal() -> Result<Receipt, BrokerError> {
    metrics.refusedByStore.add()
    return .failure(BrokerError(.unavailable, "this node's memory holds as many messages as it may"))
  }

  /// Puts an item into the mailbox of every port that is attached to the channel.
  func send(_ item: FeedItem, to channel: ChannelName, in state: inout State) {
    for index in state.attached[channel] ?? [] {
      state.ports[index].post(item, to: channel)
    }
  }
}
