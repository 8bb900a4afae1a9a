internal import Admission
private import Delivery
internal import NIOCore
internal import Transports

/// Where backends and operators connect.
enum OperatorListener {
  /// Connections at once. Each may have the body of a publish in memory.
  static let mostConnections = 256

  static func bind(
    _ settings: NodeSettings,
    workers: [NIOLoopBound<Worker>],
    status: NodeStatus,
    conductor: Conductor,
    metrics: NodeMetrics,
    on group: any EventLoopGroup
  ) async throws(NodeFailure) -> EntryServer {
    let door = OperatorGuard(settings.operatorKeys, listen: settings.operatorListen)
    let entrance = EntryDoor(
      ConnectionLedger(maximum: mostConnections),
      courtesy: settings.descriptors.courtesy,
      refused: metrics.transport.over,
      isProxy: { _ in false }
    )
    return try await EntryServer.bind(
      settings.operatorListen,
      .operatorListen,
      settings,
      entrance,
      refused: metrics.transport.over,
      on: group
    ) { entry in
      guard let worker = workers.first(where: { $0.eventLoop === entry.eventLoop })?.value else {
        preconditionFailure("every loop of the group has its worker")
      }
      var routes = OperatorDesk(
        status: status,
        conductor: conductor,
        metrics: metrics,
        namespaces: settings.namespaces,
        port: worker.shard.port,
        door: door
      ).routes
      routes.refuse = { request, responder, error, handler in
        if HealthRoutes.paths.contains(request.path) { return handler(request, responder) }
        responder.respond(error)
      }
      return routes
    }
  }
}
