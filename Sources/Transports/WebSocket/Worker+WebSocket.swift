import NIOCore
import NIOHTTP1
import Wire

extension Worker {
  func addWebSocketRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/socket") { [unowned self] request, responder in
      guard admits(request, by: .webSocket, responder) else { return }
      let proxied = proxiedAddress(of: request)
      if let refusal = refusalToHold(proxied) { return responder.respond(refusal) }
      let session = session(of: request)
      var settings = WebSocketSettings(maximumMessageSize: context.largestMessage + 4_096)
      settings.compresses = context.compresses
      settings.messageWithin = context.messageWithin
      settings.pingAfter = context.heartbeat
      settings.pongWithin = context.heartbeat
      let user: String? = nil
      userComes(user) { [self, settings] refusal in
        if let refusal { return responder.respond(refusal) }
        var isHeld = false
        WebSocketUpgrade.perform(request, responder, settings: settings) { terms in
          isHeld = true
          return GatewaySocket(
            worker: self,
            session: session,
            user: user,
            proxied: proxied,
            compression: terms
          )
        }
        if !isHeld { userLeft(user) }
      }
    }
  }
}
