internal import Admission
internal import Delivery
private import NIOConcurrencyHelpers
internal import NIOCore
internal import NIOHTTP1
internal import Transports

/// Where clients connect, and what serves them on each event loop.
struct ClientListener: Sendable {
  let server: EntryServer
  let workers: [NIOLoopBound<Worker>]
  let crews: [Crew]

  /// Every worker refuses until it is told otherwise.
  static func bind(
    _ settings: NodeSettings,
    status: NodeStatus,
    metrics: NodeMetrics,
    gate: AcceptGate,
    decisions: (any DecisionMaker)?,
    on group: any EventLoopGroup
  ) async throws(NodeFailure) -> ClientListener {
    var context = TransportContext(
      node: settings.node,
      namespaces: settings.namespaces,
      metrics: metrics.transport
    )
    context.servesAnonymous = settings.servesAnonymous
    context.decisions = decisions
    context.heartbeat = settings.heartbeat
    context.streamComment = settings.streamComment
    context.slowReaderLimit = settings.slowReaderLimit
    context.transports = settings.transports
    context.pollGather = settings.pollGather
    context.pollInterval = settings.pollInterval
    context.pollIntervalMaximum = settings.pollIntervalMaximum
    context.channelsPerConnection = settings.channelsPerConnection
    context.gate = gate
    if settings.maxConnectionAge > .zero { context.maximumConnectionAge = settings.maxConnectionAge }
    let proxies = settings.trustedProxies
    context.isTrustedProxy = { address in proxies.contains { $0.contains(address) } }
    let delivery = DeliverySettings(settings, loops: settings.eventLoops)
    let hired = NIOLockedValueBox<[(worker: NIOLoopBound<Worker>, crew: Crew)]>([])
    let shared = context
    let deliveryMetrics = metrics.delivery
    let server = try await EntryServer.bind(settings.listen, .listen, settings, on: group) { entry in
      let worker = Worker(
        entry: entry,
        broker: status.broker,
        settings: delivery,
        deliveryMetrics: deliveryMetrics,
        context: shared
      )
      worker.refuseNew(true)
      hired.withLockedValue {
        $0.append((NIOLoopBound(worker, eventLoop: entry.eventLoop), Crew(worker, on: entry.eventLoop)))
      }
      var routes = RouteTable()
      worker.addRoutes(to: &routes)
      HealthRoutes.add(to: &routes, status)
      routes.add(.GET, Description.path, Description.ofClientListener.answer)
      PageRoutes.add(to: &routes)
      return routes
    }
    let all = hired.withLockedValue { $0 }
    return ClientListener(server: server, workers: all.map(\.worker), crews: all.map(\.crew))
  }
}

extension DeliverySettings {
  /// The node's limits, for one of its loops.
  fileprivate init(_ settings: NodeSettings, loops: Int) {
    self.init()
    ringBytes = settings.ringBytes
    allRingBytes = max(settings.ringBytes, settings.ringMemory / loops)
  }
}
