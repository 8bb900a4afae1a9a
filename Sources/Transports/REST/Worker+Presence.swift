import Admission
import NIOCore
import NIOHTTP1
import Wire

extension Worker {
  func addPresenceRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/channels/{channel}/presence") { [unowned self] request, responder in
      admit(request, by: .rest, responder) { [self] in presence(request, responder, by: $0) }
    }
  }

  private func presence(_ request: HTTPRequest, _ responder: Responder, by caller: Caller) {
    do throws(ClientError) {
      let channel = try request.channel
      let (limit, after) = (try request.limit, try request.after)
      readPresence(of: channel, limit: limit, after: after, by: caller, over: .rest) {
        switch $0 {
        case .failure(let error): responder.respond(error)
        case .success(let page):
          var body = ByteBuffer()
          ServerEvent.presence(id: nil, channel: channel, page: page).write(into: &body)
          responder.respondValidated(to: request, body)
        }
      }
    } catch {
      responder.respond(error)
    }
  }
}
