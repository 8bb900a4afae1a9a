import Admission
public import Brokering
public import Delivery
import NIOCore
import Telemetry
import Wire

/// Everything one event loop serves to clients. Confined to its loop.
public final class Worker {
  public let entry: EntryLoop
  public let shard: DeliveryShard
  public let context: TransportContext
  let presence: PresenceKeeper
  /// Connections that are held open and were not told to leave.
  private var staying = HeldConnections()
  /// Those among them that a drain tells before all others.
  private var stayingFirst = HeldConnections()
  /// Those that were told.
  private var leaving = HeldConnections()
  /// New held connections are sent elsewhere.
  public private(set) var isRefusing = false
  /// A drain has nobody left to tell, and does not look any more whether somebody has come.
  private var isDrained = false
  /// There is too little memory for new held connections.
  public private(set) var isFull = false
  /// Reads of logs that are under way, and those that wait until fewer are.
  var reads = 0
  var waitingReads = CircularBuffer<() -> Void>()
  var isReadingOn = false
  /// Pages that are there and wait for their turn, while no page is written.
  var readPages = CircularBuffer<() -> Void>()
  var isResting = false
  /// Sessions that stayed after the goodbye of a drain until they were closed for it, ever.
  public private(set) var outstayed = 0
  private let broker: any Broker
  private var seconds: RepeatedTask?
  let lag: LoopLag
  let polls: PollGathering

  public init(
    entry: EntryLoop,
    broker: any Broker,
    settings: DeliverySettings,
    deliveryMetrics: DeliveryMetrics,
    context: TransportContext
  ) {
    self.entry = entry
    self.context = context
    self.broker = broker
    shard = DeliveryShard(
      loop: entry.eventLoop,
      broker: broker,
      namespaces: context.namespaces,
      settings: settings,
      metrics: deliveryMetrics
    )
    presence = PresenceKeeper(port: shard.port, wheel: entry.wheel)
    lag = LoopLag(entry.eventLoop)
    polls = PollGathering(on: entry.eventLoop, for: context.pollGather)
    shard.onPresenceLost = { [weak self] in self?.presence.joinAgain() }
    let worker = NIOLoopBound(WeakWorker(self), eventLoop: entry.eventLoop)
    seconds = entry.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { task in
      guard let worker = worker.value.worker else { return task.cancel() }
      worker.secondPassed()
    }
  }

  /// Adds the public interface to a table.
  public func addRoutes(to routes: inout RouteTable) {
    addWebSocketRoutes(to: &routes)
    addEventStreamRoutes(to: &routes)
    addPollRoutes(to: &routes)
    addMessageRoutes(to: &routes)
    addPresenceRoutes(to: &routes)
  }

  func setFull(_ isFull: Bool) { self.isFull = isFull }

  /// Everything that is held, what is being left last.
  var heldConnections: [any HeldConnection] { staying.all + stayingFirst.all + leaving.all }

  // MARK: Drain

  /// Held connections and their sessions that are still here.
  public var sessions: Int { untold + leaving.count }

  /// Those among them that have had no goodbye.
  public var untold: Int { staying.count + stayingFirst.count }

  /// Members that stay present for the grace time after their connection.
  public var departing: Int { presence.departing }

  /// From now on new held connections are sent elsewhere, or taken again: then those that a drain has told to go,
  /// and that are still here, may stay.
  public func refuseNew(_ isRefusing: Bool) {
    self.isRefusing = isRefusing
    isDrained = false
    guard !isRefusing else { return }
    for connection in leaving.all where connection.stay() {
      forget(connection)
      connection.isTold = false
      keep(connection)
    }
  }

  /// Says goodbye to at most `count` connections that were not told yet; answers to how many.
  public func sendAway(_ count: Int) -> Int {
    var number = 0
    while number < count, let next = stayingFirst.last ?? staying.last {
      context.metrics.goodbyes.add()
      sendAway(next, GoodbyeReason.drain)
      number += 1
    }
    shard.flush()
    return number
  }

  /// The drain looks at nobody any more: whoever has come since it last did, or comes to be held from now on until new
  /// ones are taken again, is sent away at once.
  public func drainEnded() {
    isDrained = true
    _ = sendAway(untold)
  }

  func sendAway(_ connection: any HeldConnection, _ reason: String) {
    forget(connection)
    connection.isTold = true
    leaving.append(connection)
    // Its client connects anew before it lets go of this one. Who stays after all is not counted any more.
    connection.heldPlace?.giveUp()
    connection.sayGoodbye(reason: reason)
  }

  /// The connection is too old. Whether it was sent away: not while a drain does that at its own pace, nor while
  /// it could not go on elsewhere without loss of time, because the cluster cannot be reached or others wait to
  /// come in.
  func sendAwayOld(_ connection: any AgingConnection) -> Bool {
    guard !isRefusing, connection.place >= 0, !connection.isTold, connection.isWritable,
      broker.health.isReady, context.gate?.isBusy(now: entry.eventLoop.now) != true
    else { return false }
    context.metrics.aged.add()
    sendAway(connection, GoodbyeReason.age)
    shard.flush()
    return true
  }

  /// Its time after the goodbye is over, and it is still here.
  func close(outstaying connection: any HeldConnection, after reason: String) {
    if reason == GoodbyeReason.drain {
      outstayed += 1
      context.metrics.forced.add()
    }
    connection.closeNow()
  }

  /// Closes what is left, as the end of a drain; answers how many that were.
  public func closeRemaining() -> Int {
    isDrained = true
    let remaining = heldConnections
    for connection in remaining { connection.closeNow() }
    context.metrics.forced.add(remaining.count)
    return remaining.count
  }

  func hold(_ connection: any HeldConnection) {
    keep(connection)
    if isDrained { sendAwaySoon(connection) }
    guard context.maximumConnectionAge != nil || context.notesConnections,
      let connection = connection as? any AgingConnection
    else { return }
    if context.notesConnections { broker.connected(connection.holder, detail: detail(of: connection)) }
    guard let maximum = context.maximumConnectionAge else { return }
    let age = ConnectionAge(connection, worker: self)
    connection.age = age
    entry.wheel.arm(age, at: ConnectionAge.deadline(maximum, now: entry.wheel.time))
  }

  /// It was on its way in when the drain began, which is over by now. While that goes on it tells whoever comes so, with
  /// all others, at its own pace.
  private func sendAwaySoon(_ connection: any HeldConnection) {
    entry.eventLoop.assumeIsolated().execute { [weak self] in
      guard let self, isDrained, connection.place >= 0, !connection.isTold else { return }
      context.metrics.goodbyes.add()
      sendAway(connection, GoodbyeReason.drain)
      shard.flush()
    }
  }

  /// The connection is gone.
  func release(_ connection: any HeldConnection) {
    connection.heldPlace?.giveUp()
    if context.maximumConnectionAge != nil || context.notesConnections,
      let aging = connection as? any AgingConnection
    {
      if context.notesConnections { broker.disconnected(aging.holder) }
      if let age = aging.age { entry.wheel.disarm(age) }
      aging.age = nil
    }
    forget(connection)
    connection.isTold = false
  }

  /// Whose connection it is, for the event of its end.
  private func detail(of connection: any AgingConnection) -> ByteBuffer {
    var detail = ByteBuffer()
    detail.openObject()
    detail.writeMember("node", context.node)
    detail.writeMember("transport", type(of: connection).transport.rawValue)
    detail.writeMember("address", connection.caller.address)
    if let user = connection.caller.user { detail.writeMember("user", user) }
    detail.writeMember("member", connection.session.member)
    detail.closeObject()
    return detail
  }

  private func keep(_ connection: any HeldConnection) {
    if connection.leavesFirst { stayingFirst.append(connection) } else { staying.append(connection) }
  }

  private func forget(_ connection: any HeldConnection) {
    guard connection.place >= 0 else { return }
    if connection.isTold {
      leaving.remove(connection)
    } else if connection.leavesFirst {
      stayingFirst.remove(connection)
    } else {
      staying.remove(connection)
    }
  }

  private func secondPassed() {
    lag.secondPassed()
    shard.secondPassed()
  }
}

private final class WeakWorker {
  weak var worker: Worker?

  init(_ worker: Worker) {
    self.worker = worker
  }
}

@available(*, unavailable) extension Worker: Sendable {}
