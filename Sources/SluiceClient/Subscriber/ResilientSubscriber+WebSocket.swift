import NIOCore
import NIOHTTP1
import Wire

extension ResilientSubscriber {
  func openWebSocket(_ leg: SubscriberLeg) {
    var query: [String] = []
    if let session { query.append("session=\(session)") }
    if let route = settings.route { query.append("route=\(route)") }
    let path = "/v1/socket" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    leg.link = .webSocket(
      WebSocketConnection(to: endpoint, path: path, headers: requestHeaders, on: loop) { event in
        switch event {
        case .opened(let answer):
          self.keepRoute(answer.headers)
          if !self.isHeldBack { self.subscribeAll(on: leg) }
        case .text(let text):
          if !self.glance(at: text, on: leg), let event = self.take(text, on: leg) {
            self.answer(event, on: leg)
          }
        case .binary: self.complaints.append("a binary message")
        case .ping, .pong: break
        case .closed(let closure): self.webSocketClosed(leg, closure)
        }
      }
    )
  }

  func subscribeAll(on leg: SubscriberLeg) {
    for index in followers.indices { subscribe(index, on: leg) }
  }

  /// The number of a request is the channel's place, counted from 1.
  private func subscribe(_ index: Int, on leg: SubscriberLeg) {
    guard case .webSocket(let connection) = leg.link else { return }
    let position = followers[index].position
    leg.asked[index] = position ?? initialCursor
    connection.send(
      ClientRequest(
        id: Int64(index + 1),
        .subscribe(
          channel: followers[index].channel,
          since: position.map(Since.cursor) ?? settings.since,
          presence: settings.presence
        )
      )
    )
  }

  private func answer(_ event: ServerEvent, on leg: SubscriberLeg) {
    switch event {
    case .subscribed(let id, let channel, let cursor, let resumed):
      guard let index = index(of: channel), id == Int64(index + 1), leg.unanswered > 0 else {
        return complaints.append("an answer to no subscription: \(channel) \(id.map(String.init) ?? "")")
      }
      followers[index].subscribed(leg: leg.serial, at: cursor, resumed: resumed, asked: leg.asked[index])
      leg.unanswered -= 1
      if leg.isReady { ready(leg) }
    case .error(let id, let error):
      guard let id, followers.indices.contains(Int(id) - 1), error.retryAfterMS != nil else {
        return complaints.append("\(error.code.rawValue): \(error.message)")
      }
      let wait = backoff.next(atLeast: .milliseconds(Int64(error.retryAfterMS ?? 0)))
      loop.assumeIsolated().scheduleTask(in: wait) {
        if leg === self.current || leg === self.successor { self.subscribe(Int(id) - 1, on: leg) }
      }
    case .goaway(_, let wait):
      sentAway(leg, after: .milliseconds(Int64(wait)))
    default: break
    }
  }

  private func webSocketClosed(_ leg: SubscriberLeg, _ closure: WebSocketConnection.Closure) {
    switch closure {
    case .failed(let reason):
      ended(leg, "failed: \(reason)", redialIn: backoff.next())
    case .refused(let answer):
      let retryAfter = HTTPResponse(status: .init(statusCode: answer.status), headers: answer.headers)
        .retryAfter
      let isFinal = [400, 401, 403, 404].contains(answer.status)
      let wait = backoff.next(atLeast: retryAfter ?? .zero)
      ended(leg, "refused: \(answer.status)", redialIn: isFinal ? nil : wait)
    case .closed(let code, let reason):
      let isFinal = code.map { [.badToken, .forbidden, .tokenExpired].contains(CloseCode(rawValue: $0)) }
      let end = "closed: \(code.map(String.init) ?? "no code") \(reason)"
      ended(leg, end, closeCode: code, redialIn: isFinal == true ? nil : backoff.next())
    case .lost(let reason):
      ended(leg, "lost: \(reason)", redialIn: backoff.next())
    }
  }
}
