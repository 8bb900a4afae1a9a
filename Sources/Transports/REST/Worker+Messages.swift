import Brokering
import NIOCore
import NIOHTTP1
import Wire

extension Worker {
  func addMessageRoutes(to routes: inout RouteTable) {
    let pattern = "/v1/channels/{channel}/messages"
    routes.add(.POST, pattern, bodyLimit: context.largestMessage) { [unowned self] in publish($0, $1) }
    routes.add(.GET, pattern) { [unowned self] in history($0, $1) }
  }

  private func publish(_ request: HTTPRequest, _ responder: Responder) {
    guard admits(request, by: .rest, responder) else { return }
    do throws(ClientError) {
      let channel = try request.channel
      let key = request.headers.first(name: "Idempotency-Key")
      if let key, !(1...ClientRequest.maximumKeyLength).contains(key.utf8.count) {
        throw ClientError(.badRequest, "Idempotency-Key: 1 to \(ClientRequest.maximumKeyLength) bytes")
      }
      publish(request.body, to: channel, user: nil, key: key, isValidated: false) {
        switch $0 {
        case .failure(let error): responder.respond(error)
        case .success(let receipt):
          var body = ByteBuffer()
          body.openObject()
          body.writeMember("channel", channel.text)
          if let cursor = receipt.cursor { body.writeMember("cursor", cursor) }
          body.closeObject()
          responder.respond(
            receipt.isRepeated ? .ok : .created,
            headers: ["Content-Type": "application/json", "Cache-Control": "no-store"],
            body: body
          )
        }
      }
    } catch {
      responder.respond(error)
    }
  }

  private func history(_ request: HTTPRequest, _ responder: Responder) {
    guard admits(request, by: .rest, responder) else { return }
    do throws(ClientError) {
      let channel = try request.channel
      let range = try request.historyRange
      let limit = try request.limit
      readHistory(of: channel, range, limit: limit) {
        switch $0 {
        case .failure(let error): responder.respond(error)
        case .success(let page):
          var body = ByteBuffer()
          ServerEvent.history(
            id: nil,
            channel: channel,
            messages: page.messages,
            cursor: page.cursor,
            gap: page.gap
          ).write(into: &body)
          var headers = HTTPHeaders()
          let links = page.links(of: channel, limit: limit)
          if !links.isEmpty { headers.add(name: "Link", value: links.joined(separator: ", ")) }
          responder.respondValidated(to: request, body, headers: headers)
        }
      }
    } catch {
      responder.respond(error)
    }
  }
}

extension HistoryPage {
  /// RFC 8288: `next` is the newer page, `prev` the older.
  func links(of channel: ChannelName, limit: Int?) -> [String] {
    let path = "/v1/channels/\(channel)/messages"
    let limit = limit.map { "&limit=\($0)" } ?? ""
    var links: [String] = []
    if hasNewer, let last = messages.last {
      links.append("<\(path)?since=\(last.cursor)\(limit)>; rel=\"next\"")
    }
    if hasOlder, let first = messages.first {
      links.append("<\(path)?before=\(first.cursor)\(limit)>; rel=\"prev\"")
    }
    return links
  }
}
