internal import Brokering
internal import Logging
public import NIOCore
private import Sessions
private import Telemetry
internal import Transports

/// One gateway process: its broker, its workers, its listeners and its life.
public final class Node: Sendable {
  /// How often a node tells the cluster how it stands.
  static let heartbeat = TimeAmount.seconds(2)
  /// How often it measures itself, and tells how a drain goes.
  static let measure = TimeAmount.seconds(1)
  /// How often the files of the certificate are looked at.
  static let certificateCheck = TimeAmount.seconds(15)
  /// How long the answers under way have when the node stops.
  static let lastAnswers = TimeAmount.seconds(2)
  /// How long those who were closed at the end have to come back before their presence ends: the grace and a little more.
  static let lastDepartures = TimeAmount.seconds(4)
  /// How long the last events for a backend may take.
  static let lastEvents = WebhookEvents.lastWait + .seconds(3)
  /// How long the broker has to give up the lease.
  static let brokerFarewell = TimeAmount.seconds(3)

  /// Where clients connect.
  public var address: SocketAddress { clients.server.localAddress }
  /// Where backends and operators connect.
  public var operatorAddress: SocketAddress { operators.localAddress }

  let status: NodeStatus
  let conductor: Conductor
  let clients: ClientListener
  let operators: EntryServer
  private let loop: any EventLoop
  /// What is done again and again.
  private let chores: [RepeatedTask]
  private let tokens: TokenDoor?
  let webhook: Webhook?
  private let events: WebhookEvents?
  private let log: Logger

  private init(
    status: NodeStatus,
    conductor: Conductor,
    clients: ClientListener,
    operators: EntryServer,
    loop: any EventLoop,
    chores: [RepeatedTask],
    tokens: TokenDoor?,
    webhook: Webhook?,
    events: WebhookEvents?,
    log: Logger
  ) {
    self.status = status
    self.conductor = conductor
    self.clients = clients
    self.operators = operators
    self.loop = loop
    self.chores = chores
    self.tokens = tokens
    self.webhook = webhook
    self.events = events
    self.log = log
  }

  /// Binds both listeners, then connects to the cluster, which may take its time: until then the node is
  /// `starting` and refuses.
  ///
  /// The group must outlive the node, and is left running.
  public static func start(_ settings: NodeSettings, on group: any EventLoopGroup) async throws -> Node {
    let incarnation = "\(settings.node)/\(HostName.randomSuffix(8))"
    var log = Logger(label: "sluice")
    log[metadataKey: LogKey.node] = "\(settings.node)"
    Node.introduce(settings, incarnation: incarnation, log)
    let metrics = NodeMetrics()
    let loop = group.next()
    let broker = Node.broker(settings, incarnation: incarnation, on: loop, log: log)
    let lags = group.makeIterator().map { ($0, LoopLag(now: .now())) }
    let meter = NodeMeter(settings: settings, metrics: metrics, lags: lags.map(\.1), broker: broker)
    let status = NodeStatus(
      node: settings.node,
      incarnation: incarnation,
      broker: broker,
      metrics: metrics.transport,
      load: { meter.load }
    )
    metrics.add(status)
    metrics.add(meter)
    let identity = try Node.identity(settings)
    metrics.add(broker.metrics)
    let tokens = try await TokenDoor.open(settings, on: group, log: log)
    let webhook = Node.webhook(settings, broker.clock, metrics, on: group, log: log)
    let events = WebhookEvents(
      settings.webhook,
      webhook,
      broker,
      isAlone: settings.redis == nil,
      log: log
    )
    let clients: ClientListener
    do {
      clients = try await ClientListener.bind(
        settings,
        status: status,
        metrics: metrics,
        gate: meter.gate,
        tokens: tokens?.verifier,
        identity: identity,
        decisions: webhook,
        on: group
      )
    } catch {
      await tokens?.close()
      await webhook?.shutdown()
      throw error
    }
    let conductor = Conductor(
      settings: settings,
      status: status,
      loop: loop,
      crews: clients.crews,
      log: log,
      others: { try? await ClusterNodes.read(status).acceptable(besides: incarnation) },
      changed: { broker.announce(status.report.json) }
    )
    broker.obey { await Node.obey($0, conductor) }
    let operators: EntryServer
    do {
      operators = try await OperatorListener.bind(
        settings,
        workers: clients.workers,
        status: status,
        conductor: conductor,
        metrics: metrics,
        on: group
      )
    } catch {
      try? await clients.server.stopListening()
      await tokens?.close()
      await webhook?.shutdown()
      throw error
    }
    Node.tell(clients.server, operators, log)
    let chores =
      lags.map { loop, lag in lag.time(loop) } + [Node.measuring(meter, status, clients, on: loop, log)]
      + [Node.renewing(identity, on: loop, log)].compactMap { $0 }
    Task {
      do {
        try await broker.start()
        conductor.started()
        events?.start()
      } catch {
        conductor.abandoned(NodeFailure("the cluster cannot be joined: \(error)"))
      }
    }
    return Node(
      status: status,
      conductor: conductor,
      clients: clients,
      operators: operators,
      loop: loop,
      chores: chores,
      tokens: tokens,
      webhook: webhook,
      events: events,
      log: log
    )
  }

  /// What `SIGTERM` and `SIGINT` do: the first starts the drain, another one ends the node at once.
  public func signalled() {
    conductor.signalled()
  }

  /// Serves until the node is to exit, and answers the code: 0 after a drain, when everything has been closed in
  /// order; 1 when it was told to end at once, and nothing was.
  public func run() async throws -> Int32 {
    do {
      let code = try await conductor.exitCode.get()
      if code == 0 { await stop() } else { log.warning("the node ends at once, its drain unfinished") }
      return code
    } catch {
      await stop()
      throw error
    }
  }

  private func stop() async {
    for chore in chores { chore.cancel() }
    status.standing.state = .stopped
    status.broker.announce(status.report.json)
    let deadline = NIODeadline.now() + Node.lastAnswers
    await clients.server.close(by: deadline)
    await operators.close(by: deadline)
    await clients.departures(by: .now() + Node.lastDepartures, on: loop)
    await loop.waiting(atMost: Node.lastAnswers) { [tokens] in await tokens?.close() }
    await loop.waiting(atMost: Node.lastEvents) { [events] in await events?.stop() }
    await webhook?.shutdown()
    await loop.waiting(atMost: Node.brokerFarewell) { [status] in await status.broker.shutdown() }
    log.notice("the node has stopped")
  }
}
