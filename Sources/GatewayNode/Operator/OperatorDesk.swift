internal import Brokering
internal import NIOCore
internal import NIOHTTP1
internal import Telemetry
internal import Transports
internal import Wire

/// What the operator listener answers on one event loop. Confined to it.
final class OperatorDesk {
  let status: NodeStatus
  let conductor: Conductor
  let registry: MetricsRegistry
  let metrics: TransportMetrics
  let namespaces: Namespaces
  /// Who watches the cluster from this loop.
  let watch: ClusterWatch
  /// The loop's own.
  let port: any BrokerPort
  private let key: OperatorKey

  init(
    status: NodeStatus,
    conductor: Conductor,
    metrics: NodeMetrics,
    namespaces: Namespaces,
    port: any BrokerPort,
    key: OperatorKey
  ) {
    self.status = status
    watch = ClusterWatch(status)
    self.conductor = conductor
    registry = metrics.registry
    self.metrics = metrics.transport
    self.namespaces = namespaces
    self.port = port
    self.key = key
  }

  /// Every route but those of health asks for the key. The table holds this object.
  var routes: RouteTable {
    var routes = RouteTable()
    HealthRoutes.add(to: &routes, status)
    add(.GET, "/metrics", to: &routes) { [self] _, responder in
      responder.respond(
        .ok,
        headers: ["Content-Type": MetricsRegistry.contentType, "Cache-Control": "no-store"],
        body: ByteBuffer(string: registry.exposition())
      )
    }
    add(.GET, Description.path, to: &routes, Description.ofOperatorListener.answer)
    add(.GET, "/v1/nodes", to: &routes) { [self] in listNodes($0, $1) }
    add(.GET, "/v1/nodes/{node}", to: &routes) { [self] in showNode($0, $1) }
    add(.POST, "/v1/nodes/{node}/drain", bodyLimit: 4_096, to: &routes) { [self] in startDrain($0, $1) }
    add(.DELETE, "/v1/nodes/{node}/drain", to: &routes) { [self] in endDrain($0, $1) }
    add(.GET, "/v1/watch", to: &routes) { [self] in watch.add($0, $1) }
    add(.POST, "/v1/publish", bodyLimit: OperatorDesk.publishLimit, to: &routes) { [self] in publish($0, $1) }
    return routes
  }

  private func add(
    _ method: HTTPMethod,
    _ pattern: String,
    bodyLimit: Int = 0,
    to routes: inout RouteTable,
    _ handler: @escaping RouteTable.Handler
  ) {
    let key = key
    routes.add(method, pattern, bodyLimit: bodyLimit) { request, responder in
      if let refusal = key.refusal(of: request) { return responder.respond(refusal) }
      handler(request, responder)
    }
  }
}

@available(*, unavailable)
extension OperatorDesk: Sendable {}
