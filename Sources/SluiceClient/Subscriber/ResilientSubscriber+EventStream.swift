import NIOCore
import NIOHTTP1
import Wire

extension ResilientSubscriber {
  func openEventStream(_ leg: SubscriberLeg) {
    leg.asked = followed.map(\.asked)
    var parts = parts
    if leg.transport == .nativeEventSource {
      let places = followed.enumerated().map { ($0.offset, $0.element.serial) }
      parts = [LegPart(places: places, presence: settings.presence, isFromStart: false)]
    }
    leg.unanswered = parts.reduce(0) { $0 + $1.places.count }
    for part in parts where !leg.hasEnded {
      leg.links.append(.eventStream(openEventStream(leg, part)))
    }
  }

  private func openEventStream(_ leg: SubscriberLeg, _ part: LegPart) -> EventStreamConnection {
    let isNative = leg.transport == .nativeEventSource
    let channels = channels(of: part)
    // A browser gives back the last id. That of a stream that has just taken over lags behind what its predecessor
    // brought, so ours gives its positions.
    var eventID = isNative ? lastEventID : nil
    var path = "/v1/stream?channels=" + channels.map(\.text).joined(separator: ",")
    if isNative {
      if let since = initialSince { path += "&since=\(since)" }
    } else {
      switch since(of: part) {
      case nil: break
      case .start: path += "&since=start"
      case .positions(let set): eventID = ByteBuffer(string: set.description)
      }
    }
    if let presence = part.presence { path += "&presence=\(presence.rawValue)" }
    if let session, !isNative { path += "&session=\(session)" }
    if let route = settings.route { path += "&route=\(route)" }
    var isWelcomed = false
    return EventStreamConnection(
      to: endpoint,
      path: path,
      lastEventID: eventID.map { String(buffer: $0) },
      headers: requestHeaders,
      on: loop
    ) { event in
      switch event {
      case .opened(let head): self.keepRoute(head.headers)
      case .item(.event(let event)):
        switch self.take(event, on: leg) {
        case .welcome?:
          if isWelcomed { return self.complaints.append("a second welcome") }
          isWelcomed = true
          self.welcomed(leg, part, at: event.lastEventID)
        case .error(_, let error)?: leg.lastWord = error
        default: break
        }
        if isNative { self.lastEventID = event.lastEventID }
      case .item(.retry(let milliseconds)):
        self.retry = min(.milliseconds(Int64(milliseconds)), max(.minutes(1), self.settings.backoff.ceiling))
      case .item(.comment): break
      case .closed(let closure): self.ended(leg, self.end(of: leg, closure))
      }
    }
  }

  /// What a native stream is asked for.
  private var initialSince: SinceSet? {
    switch settings.since {
    case nil: return nil
    case .start: return .start
    case .cursor(let cursor):
      var set = CursorSet()
      for channel in followed { set[channel.channel] = cursor }
      return .positions(set)
    }
  }

  /// The event, unless it is a message that was taken by the short way.
  private func take(_ event: ServerSentEvent, on leg: SubscriberLeg) -> ServerEvent? {
    if event.name == nil, glance(at: event.data, on: leg) { return nil }
    guard let content = take(event.data, on: leg) else { return nil }
    let isUnnamed = if case .message = content { true } else { false }
    if event.name != (isUnnamed ? nil : content.name.description) {
      complaints.append("an event named \(event.name ?? "nothing") that is a \(content.name)")
    }
    if case .goaway(_, let wait) = content {
      connections[leg.serial].sentAwayAt = .now() + .milliseconds(Int64(wait))
    }
    return content
  }

  /// The id of the welcome says where the stream goes on.
  private func welcomed(_ leg: SubscriberLeg, _ part: LegPart, at id: ByteBuffer) {
    let positions = CursorSet(String(buffer: id)) ?? CursorSet()
    for place in placesFollowed(of: part) {
      let cursor = positions[followed[place].channel]
      followed[place].follower.subscribed(
        leg: leg.serial,
        at: cursor,
        resumed: false,
        asked: leg.asked[place]
      )
    }
    leg.unanswered = leg.unanswered.map { $0 - part.places.count }
    if leg.isReady { ready(leg) }
  }

  private func end(of leg: SubscriberLeg, _ closure: EventStreamConnection.Closure) -> LegEnd {
    let isNative = leg.transport == .nativeEventSource
    let wasReady = connections[leg.serial].readyAt != nil
    switch closure {
    case .ended:
      let wait = max(retry, settings.backoff.floor)
      // A browser's own stream comes back whatever it was told.
      if let lastWord = leg.lastWord, !isNative { return end(refusedWith: lastWord, after: wait) }
      return LegEnd("ended", wasReady ? .later(wait) : .again(wait))
    case .failed(let reason):
      let wait = isNative ? retry + backoff.next() : backoff.next()
      let wasConnected = leg.links.contains {
        if case .eventStream(let connection) = $0 { connection.wasConnected } else { false }
      }
      return LegEnd("failed: \(reason)", wasConnected ? .otherwise(wait) : .later(wait))
    case .lost(let reason):
      let wait = isNative ? retry : backoff.next(hadWorked: wasReady)
      return LegEnd("lost: \(reason)", wasReady ? .again(wait) : .otherwise(wait))
    case .refused(let response):
      let end = end(refusedWith: response)
      return isNative ? LegEnd(end.reason, .never) : end
    }
  }
}
