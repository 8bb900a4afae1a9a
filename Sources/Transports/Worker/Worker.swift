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
  private var staying: [any HeldConnection] = []
  /// Those that were told.
  private var leaving: [any HeldConnection] = []
  /// New held connections are sent elsewhere.
  public private(set) var isRefusing = false
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

  // MARK: Drain

  /// Held connections and their sessions that are still here.
  public var sessions: Int { staying.count + leaving.count }

  /// Those among them that have had no goodbye.
  public var untold: Int { staying.count }

  /// Members that stay present for the grace time after their connection.
  public var departing: Int { presence.departing }

  /// From now on new held connections are sent elsewhere, or taken again.
  public func refuseNew(_ isRefusing: Bool) {
    self.isRefusing = isRefusing
    guard !isRefusing else { return }
    for connection in leaving {
      connection.place = staying.count
      connection.isTold = false
      staying.append(connection)
    }
    leaving = []
  }

  /// Says goodbye to at most `count` connections that were not told yet; answers to how many.
  public func sendAway(_ count: Int) -> Int {
    let number = min(count, staying.count)
    for _ in 0..<number {
      let connection = staying[staying.count - 1]
      forget(connection)
      connection.isTold = true
      connection.place = leaving.count
      leaving.append(connection)
      context.metrics.goodbyes.add()
      connection.sayGoodbye(reason: "drain")
    }
    shard.flush()
    return number
  }

  /// Closes what is left; answers how many that were.
  public func closeRemaining() -> Int {
    let remaining = staying + leaving
    for connection in remaining { connection.closeNow() }
    context.metrics.forced.add(remaining.count)
    return remaining.count
  }

  func hold(_ connection: any HeldConnection) {
    connection.place = staying.count
    staying.append(connection)
  }

  /// The connection is gone.
  func release(_ connection: any HeldConnection) {
    forget(connection)
    connection.isTold = false
  }

  private func forget(_ connection: any HeldConnection) {
    let place = connection.place
    guard place >= 0 else { return }
    connection.place = -1
    if connection.isTold {
      leaving.swapAt(place, leaving.count - 1)
      leaving.removeLast()
      if place < leaving.count { leaving[place].place = place }
    } else {
      staying.swapAt(place, staying.count - 1)
      staying.removeLast()
      if place < staying.count { staying[place].place = place }
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
