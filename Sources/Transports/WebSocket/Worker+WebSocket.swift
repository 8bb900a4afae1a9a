import Admission
import NIOCore
import NIOHTTP1
import Wire

extension Worker {
  func addWebSocketRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/socket") { [unowned self] request, responder in
      let tellPage = { [self] (error: ClientError) in closeSocket(request, responder, because: error)
      }
      admit(request, by: .webSocket, responder, refuse: request.isOfPage ? tellPage : nil) {
        [self] in open(request, responder, by: $0)
      }
    }
  }

  private func open(_ request: HTTPRequest, _ responder: Responder, by caller: Caller) {
    if let refusal = refusalToHold() { return responder.respond(refusal) }
    let session = session(of: request, caller)
    var settings = WebSocketSettings(maximumMessageSize: context.largestMessage + UncheckedToken.longest)
    settings.pingAfter = context.heartbeat
    settings.pongWithin = context.heartbeat
    WebSocketUpgrade.perform(request, responder, settings: settings) {
      GatewaySocket(worker: self, session: session, caller: caller)
    }
  }
}
