private import Delivery
internal import NIOCore
internal import Transports

/// Where backends and operators connect.
enum OperatorListener {
  static func bind(
    _ settings: NodeSettings,
    workers: [NIOLoopBound<Worker>],
    status: NodeStatus,
    conductor: Conductor,
    metrics: NodeMetrics,
    on group: any EventLoopGroup
  ) async throws(NodeFailure) -> EntryServer {
    let door = OperatorGuard(settings.operatorKeys, listen: settings.operatorListen)
    return try await EntryServer.bind(
      settings.operatorListen,
      .operatorListen,
      settings,
      refused: metrics.transport.over,
      on: group
    ) { entry in
      guard let worker = workers.first(where: { $0.eventLoop === entry.eventLoop })?.value else {
        preconditionFailure("every loop of the group has its worker")
      }
      return OperatorDesk(
        status: status,
        conductor: conductor,
        metrics: metrics,
        namespaces: settings.namespaces,
        port: worker.shard.port,
        door: door
      ).routes
    }
  }
}
