internal import NIOHTTP1
internal import NIOCore
internal import Transports
private import Wire

/// `/healthz` and `/readyz`, the same on both listeners, for everybody.
enum HealthRoutes {
  /// They are answered also on a connection that may not stay: a node that is full is alive.
  static let paths = ["/healthz", "/readyz"]

  static func add(to routes: inout RouteTable, _ status: NodeStatus) {
    routes.add(.GET, "/healthz") { _, responder in
      var body = ByteBuffer()
      body.openObject()
      body.writeMember("status", "alive")
      body.closeObject()
      responder.respondJSON(body)
    }
    routes.add(.GET, "/readyz") { _, responder in
      if let error = status.unreadiness { return responder.respond(error) }
      var body = ByteBuffer()
      body.openObject()
      body.writeMember("status", "ready")
      body.closeObject()
      responder.respondJSON(body)
    }
  }
}
