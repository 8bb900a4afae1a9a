internal import Admission
internal import Brokering
internal import Logging
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
  let door: OperatorGuard

  init(
    status: NodeStatus,
    conductor: Conductor,
    metrics: NodeMetrics,
    namespaces: Namespaces,
    port: any BrokerPort,
    door: OperatorGuard
  ) {
    self.status = status
    watch = ClusterWatch(status)
    self.conductor = conductor
    registry = metrics.registry
    self.metrics = metrics.transport
    self.namespaces = namespaces
    self.port = port
    self.door = door
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
    // It takes no body; some clients send an empty one with every request.
    add(.DELETE, "/v1/nodes/{node}/drain", bodyLimit: 4_096, to: &routes) { [self] in endDrain($0, $1) }
    add(.GET, "/v1/watch", to: &routes) { [self] in watch.add($0, $1) }
    add(.POST, "/v1/publish", bodyLimit: OperatorDesk.publishLimit, to: &routes) { [self] in publish($0, $1) }
    return routes
  }

  /// What an act is called in the audit log.
  private static func name(of request: HTTPRequest) -> String {
    guard request.path.hasSuffix("/drain") else {
      return String(request.path.split(separator: "/").last ?? "")
    }
    return request.method == .DELETE ? "undrain" : "drain"
  }

  private static func target(of request: HTTPRequest) -> String {
    if let node = request.parameters["node"] { return node }
    guard let publications = try? Publications(request.body) else { return "" }
    let channels = publications.parts.prefix(10).map { $0.channel.prefix(128) }
    let rest = publications.parts.count - channels.count
    return channels.joined(separator: ",") + (rest > 0 ? " and \(rest) more" : "")
  }

  private func add(
    _ method: HTTPMethod,
    _ pattern: String,
    bodyLimit: Int = 0,
    to routes: inout RouteTable,
    _ handler: @escaping RouteTable.Handler
  ) {
    let door = door
    let log = conductor.log
    let role = method == .GET ? OperatorKey.Role.read : .act
    // Nothing is read of the body of whoever may not ask.
    let admits: RouteTable.Guard = { request in
      guard case .failure(let refusal) = door.admit(request, for: role) else { return nil }
      if role == .act {
        let act = OperatorDesk.act(request, by: refusal.name ?? "refused", on: request.parameters["node"])
        Audit.note(act, HTTPResponseStatus(statusCode: Int(refusal.error.code.rule.httpStatus)), log)
      }
      return refusal.error
    }
    routes.add(method, pattern, bodyLimit: bodyLimit, admits: admits) { request, responder in
      switch door.admit(request, for: role) {
      case .failure(let refusal): return responder.respond(refusal.error)
      case .success(let who) where role == .act:
        let act = OperatorDesk.act(request, by: who, on: OperatorDesk.target(of: request))
        responder.onAnswer = { Audit.note(act, $0, log) }
      case .success: break
      }
      handler(request, responder)
    }
  }

  private static func act(_ request: HTTPRequest, by who: String, on target: String?) -> Audit.Act {
    Audit.Act(
      who: who,
      address: request.peer?.ipAddress ?? "an unknown address",
      name: name(of: request),
      target: target ?? ""
    )
  }
}

@available(*, unavailable)
extension OperatorDesk: Sendable {}
