import NIOCore
import NIOHTTP1
import Wire

extension ResilientSubscriber {
  func openWebSocket(_ leg: SubscriberLeg) {
    var query: [String] = []
    if let session { query.append("session=\(session)") }
    if let route = settings.route { query.append("route=\(route)") }
    let path = "/v1/socket" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    let connection = WebSocketConnection(to: endpoint, path: path, headers: requestHeaders, on: loop) {
      event in
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
      case .closed(let closure): self.ended(leg, self.end(of: leg, closure))
      }
    }
    leg.links = [.webSocket(connection)]
  }

  func subscribeAll(on leg: SubscriberLeg) {
    leg.unanswered = 0
    for place in followed.indices where followed[place].isActive { subscribe(place, on: leg) }
  }

  /// Asks for a channel on a connection that is open.
  func subscribe(_ place: Int, on leg: SubscriberLeg) {
    leg.lastRequest += 1
    leg.requests[leg.lastRequest] = place
    leg.unanswered = (leg.unanswered ?? 0) + 1
    leg.openingSince = .now()
    send(leg.lastRequest, place, on: leg)
  }

  private func send(_ id: Int64, _ place: Int, on leg: SubscriberLeg) {
    let channel = followed[place]
    while leg.asked.count <= place { leg.asked.append(nil) }
    leg.asked[place] = channel.asked
    leg.socket?.send(
      ClientRequest(
        id: id,
        .subscribe(channel: channel.channel, since: channel.sinceNow, presence: channel.presence)
      )
    )
  }

  private func answer(_ event: ServerEvent, on leg: SubscriberLeg) {
    switch event {
    case .subscribed(let id, let channel, let cursor, let resumed):
      guard let id, let place = leg.requests.removeValue(forKey: id) else {
        return complaints.append("an answer to no subscription: \(channel) \(id.map(String.init) ?? "")")
      }
      if place >= 0 {
        guard followed[place].channel == channel else {
          return complaints.append("an answer for \(channel) to another's subscription")
        }
        if cursor != nil, leg.asked[place] == nil, followed[place].follower.position != nil {
          // It has a position meanwhile, from the connection that this one takes over from.
          leg.socket?.send(ClientRequest(id: -id, .unsubscribe(channel: channel)))
          leg.requests[id] = place
          return send(id, place, on: leg)
        }
        followed[place].follower.subscribed(
          leg: leg.serial,
          at: cursor,
          resumed: resumed,
          asked: leg.asked[place]
        )
      }
      answered(leg)
    case .error(let id, let error):
      guard let id, let place = leg.requests[id] else {
        return complaints.append("\(error.code.rawValue): \(error.message)")
      }
      if place >= 0, let wait = error.retryAfterMS {
        askAgain(id, place, on: leg, after: backoff.next(atLeast: .milliseconds(Int64(wait))))
      } else {
        leg.requests[id] = nil
        if place >= 0 { refused(place, error) }
        if place < 0 || onRefused != nil { answered(leg) }
      }
    case .goaway(_, let wait):
      sentAway(leg, after: .milliseconds(Int64(wait)))
    default: break
    }
  }

  private func answered(_ leg: SubscriberLeg) {
    leg.unanswered = leg.unanswered.map { $0 - 1 }
    if leg.isReady { ready(leg) }
  }

  private func askAgain(_ id: Int64, _ place: Int, on leg: SubscriberLeg, after wait: TimeAmount) {
    loop.assumeIsolated().scheduleTask(in: wait) {
      guard leg === self.current || leg === self.successor else { return }
      if leg.requests[id] == place {
        self.send(id, place, on: leg)
      } else if leg.requests.removeValue(forKey: id) != nil {
        self.answered(leg)
      }
    }
  }

  private func end(of leg: SubscriberLeg, _ closure: WebSocketConnection.Closure) -> LegEnd {
    let wasReady = connections[leg.serial].readyAt != nil
    switch closure {
    case .failed(let reason):
      let wait = backoff.next()
      return LegEnd("failed: \(reason)", leg.socket?.wasConnected == true ? .otherwise(wait) : .later(wait))
    case .refused(let answer):
      return end(
        refusedWith: HTTPResponse(
          status: .init(statusCode: answer.status),
          headers: answer.headers,
          body: answer.body
        )
      )
    case .closed(let code, let reason):
      let text = "closed: \(code.map(String.init) ?? "no code") \(reason)"
      let wait = backoff.next(hadWorked: wasReady)
      let sequel: LegEnd.Sequel =
        switch code.map({ CloseCode(rawValue: $0) }) {
        case .badToken, .tokenExpired: .unauthorized
        case .forbidden: .never
        case .drain, .overload: .later(wait)
        default: wasReady ? .again(wait) : .otherwise(wait)
        }
      return LegEnd(text, closeCode: code, sequel)
    case .lost(let reason):
      let wait = backoff.next(hadWorked: wasReady)
      return LegEnd("lost: \(reason)", wasReady ? .again(wait) : .otherwise(wait))
    }
  }
}
