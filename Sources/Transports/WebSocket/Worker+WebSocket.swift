import NIOCore
import NIOHTTP1
import Wire

extension Worker {
  func addWebSocketRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/socket") { [unowned self] request, responder in
      guard admits(request, by: .webSocket, responder) else { return }
      if let refusal = refusalToHold() { return responder.respond(refusal) }
      let session = session(of: request)
      var settings = WebSocketSettings(maximumMessageSize: context.largestMessage + 4_096)
      settings.pingAfter = context.heartbeat
      settings.pongWithin = context.heartbeat
      WebSocketUpgrade.perform(request, responder, settings: settings) {
        GatewaySocket(worker: self, session: session, user: nil)
      }
    }
  }
}
