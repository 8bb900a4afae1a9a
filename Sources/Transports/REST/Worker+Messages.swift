import Admission
import Brokering
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

extension Worker {
  func addMessageRoutes(to routes: inout RouteTable) {
    let pattern = "/v1/channels/{channel}/messages"
    routes.add(.POST, pattern, bodyLimit: context.largestMessage) { [unowned self] request, responder in
      admit(request, by: .rest, responder) { [self] in publish(request, responder, by: $0) }
    }
    routes.add(.GET, pattern) { [unowned self] request, responder in
      admit(request, by: .rest, responder) { [self] in history(request, responder, by: $0) }
    }
  }

  private func publish(_ request: HTTPRequest, _ responder: Responder, by caller: Caller) {
    if let problem = request.contentProblem { return responder.respond(problem) }
    if let refusal = refusalToSend(request, responder) { return responder.respond(refusal) }
    do throws(ClientError) {
      let channel = try request.channel
      let key = try request.idempotencyKey
      let session = request.headers.first(name: "Sluice-Session").flatMap {
        Session(secret: $0, user: caller.user)
      }
      publish(
        request.body,
        to: channel,
        by: caller,
        over: .rest,
        member: session?.member,
        key: key,
        isValidated: false
      ) {
        switch $0 {
        case .failure(let error): responder.respond(error)
        case .success(let receipt):
          var body = ByteBuffer()
          body.openObject()
          body.writeMember("channel", channel.text)
          if let cursor = receipt.cursor { body.writeMember("cursor", cursor) }
          body.closeObject()
          var headers: HTTPHeaders = ["Content-Type": "application/json", "Cache-Control": "no-store"]
          guard !receipt.isRepeated else { return responder.respond(.ok, headers: headers, body: body) }
          if let cursor = receipt.cursor {
            headers.add(name: "Location", value: cursor.location(in: channel))
          }
          responder.respond(.created, headers: headers, body: body)
        }
      }
    } catch {
      responder.respond(error)
    }
  }

  /// Why the connection may publish no more now. A proxy's is everybody's, and has no such limit.
  private func refusalToSend(_ request: HTTPRequest, _ responder: Responder) -> ClientError? {
    guard !isProxied(request) else { return nil }
    switch responder.sent(request.body.readableBytes, context.publishing) {
    case .accepted: return nil
    case .refused(let excess, let wait):
      context.metrics.over.count(excess)
      return ClientError(.rateLimited, "too many \(excess)", retryAfterMS: wait)
    case .offends:
      context.metrics.over.offenders.add()
      return ClientError(.rateLimited, "too much was sent for too long")
    }
  }

  private func history(_ request: HTTPRequest, _ responder: Responder, by caller: Caller) {
    do throws(ClientError) {
      let channel = try request.channel
      let range = try request.historyRange
      let limit = try request.limit
      readHistory(of: channel, range, limit: limit, by: caller, over: .rest) {
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
          responder.respondValidated(to: request, body, link: page.link(of: channel, limit: limit))
        }
      }
    } catch {
      responder.respond(error)
    }
  }
}

extension ChannelName {
  /// Where its messages are. No character of a channel's name needs an escape in a path.
  fileprivate var messagesPath: String { "/v1/channels/\(self)/messages" }
}

extension Cursor {
  /// The page that has this one message, as long as the log holds it.
  fileprivate func location(in channel: ChannelName) -> String {
    "\(channel.messagesPath)?since=\(Cursor(epoch, offset - 1))&limit=1"
  }
}

extension HistoryPage {
  /// RFC 8288: `next` is the newer page, `prev` the older; nil where there is neither.
  func link(of channel: ChannelName, limit: Int?) -> String? {
    let path = channel.messagesPath
    let limit = limit.map { "&limit=\($0)" } ?? ""
    var links: [String] = []
    if hasNewer, let cursor {
      links.append("<\(path)?since=\(cursor)\(limit)>; rel=\"next\"")
    }
    if hasOlder, let first = messages.first {
      links.append("<\(path)?before=\(first.cursor)\(limit)>; rel=\"prev\"")
    }
    return links.isEmpty ? nil : links.joined(separator: ", ")
  }
}
