import NIOCore
import NIOHTTP1
import Wire

extension ResilientSubscriber {
  func openPolls(_ leg: SubscriberLeg) {
    leg.asked = followed.map(\.asked)
    let parts = parts
    leg.unanswered = parts.reduce(0) { $0 + $1.places.count }
    for part in parts where !leg.hasEnded {
      var wish = PollWish(
        channels(of: part),
        since: since(of: part),
        pace: leg.transport == .longPoll ? .held(seconds: settings.pollWait) : .every(settings.pollInterval)
      )
      wish.presence = part.presence
      wish.session = session
      wish.headers = headers
      wish.routeCookie = routeCookie
      wish.route = settings.route
      var isFirst = true
      let polls = PollConnection(to: endpoint, wish, on: loop) { event in
        switch event {
        case .answered(let answer, let headers):
          self.keepRoute(headers)
          if let session = headers.first(name: "Sluice-Session") { self.session = session }
          if isFirst { self.begun(leg, part, answer) }
          self.take(answer, part, on: leg)
          if isFirst, !leg.hasEnded {
            isFirst = false
            leg.unanswered = leg.unanswered.map { $0 - part.places.count }
            if leg.isReady { self.ready(leg) }
          }
        case .closed(let closure): self.ended(leg, self.end(of: leg, closure))
        }
      }
      leg.links.append(.polls(polls))
    }
  }

  /// The first answer says where the polls began: before its first message, or where it ends.
  private func begun(_ leg: SubscriberLeg, _ part: LegPart, _ answer: PollAnswer) {
    var starts = answer.positions
    for event in answer.events.reversed() {
      guard case .message(let channel, let cursor?, _, _, _)? = try? ServerEvent(parsing: event) else {
        continue
      }
      if cursor.offset > 0 { starts[channel] = Cursor(cursor.epoch, cursor.offset - 1) }
    }
    for place in placesFollowed(of: part) {
      followed[place].follower.subscribed(
        leg: leg.serial,
        at: starts[followed[place].channel],
        resumed: false,
        asked: leg.asked[place]
      )
    }
  }

  private func take(_ answer: PollAnswer, _ part: LegPart, on leg: SubscriberLeg) {
    for event in answer.events where !glance(at: event, on: leg) { _ = take(event, on: leg) }
    for place in placesFollowed(of: part) {
      guard let cursor = answer.positions[followed[place].channel] else { continue }
      followed[place].follower.answered(leg: leg.serial, at: cursor)
    }
  }

  private func end(of leg: SubscriberLeg, _ closure: PollConnection.Closure) -> LegEnd {
    let wasReady = connections[leg.serial].readyAt != nil
    switch closure {
    case .aborted: return LegEnd("aborted", .later(backoff.next()))
    case .failed(let reason, let isUnreachable):
      let wait = backoff.next(hadWorked: wasReady)
      let reason = "failed: \(reason)"
      if isUnreachable { return LegEnd(reason, .later(wait)) }
      return LegEnd(reason, wasReady ? .again(wait) : .otherwise(wait))
    case .refused(let response):
      if response.status == .serviceUnavailable { connections[leg.serial].sentAwayAt = .now() }
      return end(refusedWith: response)
    }
  }
}
