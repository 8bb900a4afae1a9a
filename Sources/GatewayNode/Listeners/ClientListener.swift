internal import Admission
internal import Brokering
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
  let ledger: ConnectionLedger

  /// Waits until no member outlives its connection any more, at the latest until `deadline`.
  func departures(by deadline: NIODeadline, on loop: any EventLoop) async {
    while NIODeadline.now() < deadline {
      let counts = EventLoopFuture.whenAllSucceed(crews.map { $0.ask { $0.departing } }, on: loop)
      guard let departing = try? await counts.get(), departing.contains(where: { $0 > 0 }) else { return }
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Every worker refuses until it is told otherwise.
  static func bind(
    _ settings: NodeSettings,
    status: NodeStatus,
    metrics: NodeMetrics,
    gate: AcceptGate,
    tokens: TokenVerifier?,
    identity: ServerIdentity?,
    decisions: (any DecisionMaker)?,
    on group: any EventLoopGroup
  ) async throws(NodeFailure) -> ClientListener {
    var context = TransportContext(
      node: settings.node,
      namespaces: settings.namespaces,
      metrics: metrics.transport
    )
    context.servesAnonymous = settings.servesAnonymous
    context.tokens = tokens
    context.origins = settings.allowedOrigins
    context.decisions = decisions
    context.notesConnections = decisions != nil && settings.webhook.events.contains(.disconnect)
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
    let isProxy = { @Sendable (address: SocketAddress) in proxies.contains { $0.contains(address) } }
    context.isTrustedProxy = isProxy
    let shares = settings.descriptors
    let ledger = ConnectionLedger(
      maximum: shares.connections,
      maximumOfAddress: settings.connectionsPerAddress
    )
    context.limit(by: settings, ledger)
    let door = EntryDoor(
      ledger,
      courtesy: shares.courtesy,
      refused: metrics.transport.over,
      isProxy: isProxy
    )
    let delivery = DeliverySettings(settings, loops: settings.eventLoops)
    let hired = NIOLockedValueBox<[(worker: NIOLoopBound<Worker>, crew: Crew)]>([])
    let shared = context
    let deliveryMetrics = metrics.delivery
    let server = try await EntryServer.bind(
      settings.listen,
      .listen,
      settings,
      door,
      refused: metrics.transport.over,
      on: group,
      identity: identity
    ) { entry in
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
      routes.origins = shared.origins
      worker.addRoutes(to: &routes)
      routes.refuse = { [unowned worker] request, responder, error, handler in
        if HealthRoutes.paths.contains(request.path) { return handler(request, responder) }
        worker.refuse(request, responder, error)
      }
      HealthRoutes.add(to: &routes, status)
      routes.add(.GET, Description.path, Description.ofClientListener.answer)
      PageRoutes.add(to: &routes)
      return routes
    }
    let all = hired.withLockedValue { $0 }
    metrics.add(ledger)
    return ClientListener(
      server: server,
      workers: all.map(\.worker),
      crews: all.map(\.crew),
      ledger: ledger
    )
  }

  /// The node's memory was measured.
  func memoryMeasured(_ level: MemoryPressure.Level) {
    ledger.close(level >= .refusing)
    for worker in workers { worker.eventLoop.execute { worker.value.memoryMeasured(level) } }
  }
}

extension TransportContext {
  /// What clients may send, and how many may come.
  fileprivate mutating func limit(by settings: NodeSettings, _ ledger: ConnectionLedger) {
    self.ledger = ledger
    connectionsPerUser = settings.connectionsPerUser
    compresses = settings.compression == .on
    messageWithin = settings.bodyTimeout
    sending = SendingLimits(
      messages: settings.messagesPerSecond,
      bytes: settings.bytesPerSecond,
      subscribes: settings.subscribesPerSecond
    )
    if settings.publishesPerSecond > 0 {
      publishing = SendingLimits(
        messages: settings.publishesPerSecond,
        bytes: settings.bytesPerSecond,
        subscribes: 0
      )
    }
    requests = SendingLimits.rate(settings.requestsPerAddress).map { AddressRates($0) }
    follows = SendingLimits.rate(settings.subscribesPerAddress).map { AddressRates($0) }
    reads = SendingLimits.rate(settings.readsPerAddress).map { AddressRates($0) }
    unverifiedTokens = SendingLimits.rate(settings.unverifiedTokensPerAddress).map { AddressRates($0) }
  }
}

extension DeliverySettings {
  /// The node's limits, for one of its loops.
  fileprivate init(_ settings: NodeSettings, loops: Int) {
    self.init()
    compressAbove = settings.compressAbove
    ringBytes = settings.ringBytes
    allRingBytes = max(settings.ringBytes, settings.ringMemory / loops)
  }
}
