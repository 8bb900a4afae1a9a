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
    let isReturning = givenSession(of: request, caller) != nil
    comeIn(proxiedAddress(of: request), caller, isReturning: isReturning) { [self] in
      switch $0 {
      case .failure(let refusal): responder.respond(refusal)
      case .success(let place): open(request, responder, by: caller, place)
      }
    }
  }

  private func open(
    _ request: HTTPRequest,
    _ responder: Responder,
    by caller: Caller,
    _ place: HeldPlace?
  ) {
    let session = session(of: request, caller)
    var settings = WebSocketSettings(maximumMessageSize: context.largestMessage + UncheckedToken.longest)
    settings.compresses = context.compresses
    settings.messageWithin = context.messageWithin
    settings.pingAfter = context.heartbeat
    settings.pongWithin = context.heartbeat
    var isHeld = false
    WebSocketUpgrade.perform(request, responder, settings: settings) { terms in
      isHeld = true
      return GatewaySocket(
        worker: self,
        session: session,
        caller: caller,
        heldPlace: place,
        compression: terms
      )
    }
    if !isHeld { place?.giveUp() }
  }
}
