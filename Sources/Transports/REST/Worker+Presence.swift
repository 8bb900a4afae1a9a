import NIOCore
import NIOHTTP1
import Wire

extension Worker {
  func addPresenceRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/channels/{channel}/presence") { [unowned self] request, responder in
      guard admits(request, by: .rest, responder) else { return }
      do throws(ClientError) {
        let channel = try request.channel
        readPresence(of: channel, limit: try request.limit, after: try request.after) {
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
}
