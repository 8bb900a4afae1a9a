import NIOCore
import NIOHTTP1
import Wire

extension ResilientSubscriber {
  func openEventStream(_ leg: SubscriberLeg) {
    let isNative = settings.transport == .nativeEventSource
    var path = "/v1/stream?channels=" + followers.map(\.channel.text).joined(separator: ",")
    let isResuming = lastEventID.readableBytes > 0
    if let since = initialSince, isNative || !isResuming { path += "&since=\(since)" }
    if let presence = settings.presence { path += "&presence=\(presence.rawValue)" }
    if let session, !isNative { path += "&session=\(session)" }
    if let route = settings.route { path += "&route=\(route)" }
    leg.asked = followers.map { isResuming ? $0.position : initialCursor }
    leg.link = .eventStream(
      EventStreamConnection(
        to: endpoint,
        path: path,
        lastEventID: String(buffer: lastEventID),
        headers: requestHeaders,
        on: loop
      ) { event in
        switch event {
        case .opened(let head): self.keepRoute(head.headers)
        case .item(.event(let event)): self.take(event, on: leg)
        case .item(.retry(let milliseconds)): self.retry = .milliseconds(Int64(milliseconds))
        case .item(.comment): break
        case .closed(let closure): self.eventStreamClosed(leg, closure)
        }
      }
    )
  }

  /// What a stream is asked for that resumes nothing.
  private var initialSince: SinceSet? {
    switch settings.since {
    case nil: return nil
    case .start: return .start
    case .cursor(let cursor):
      var set = CursorSet()
      for follower in followers { set[follower.channel] = cursor }
      return .positions(set)
    }
  }

  private func take(_ event: ServerSentEvent, on leg: SubscriberLeg) {
    lastEventID = event.lastEventID
    if event.name == nil, glance(at: event.data, on: leg) { return }
    guard let content = take(event.data, on: leg) else { return }
    let isUnnamed = if case .message = content { true } else { false }
    if event.name != (isUnnamed ? nil : content.name.description) {
      complaints.append("an event named \(event.name ?? "nothing") that is a \(content.name)")
    }
    switch content {
    case .welcome: welcomed(leg)
    case .goaway(_, let wait): connections[leg.serial].sentAwayAt = .now() + .milliseconds(Int64(wait))
    default: break
    }
  }

  /// The id of the welcome says where the stream goes on.
  private func welcomed(_ leg: SubscriberLeg) {
    guard !leg.isReady else { return complaints.append("a second welcome") }
    let positions = CursorSet(String(buffer: lastEventID)) ?? CursorSet()
    for index in followers.indices {
      let cursor = positions[followers[index].channel]
      followers[index].subscribed(leg: leg.serial, at: cursor, resumed: false, asked: leg.asked[index])
    }
    leg.unanswered = 0
    ready(leg)
  }

  private func eventStreamClosed(_ leg: SubscriberLeg, _ closure: EventStreamConnection.Closure) {
    let isNative = settings.transport == .nativeEventSource
    switch closure {
    case .ended:
      ended(leg, "ended", redialIn: max(retry, settings.backoff.floor))
    case .failed(let reason):
      ended(leg, "failed: \(reason)", redialIn: isNative ? retry + backoff.next() : backoff.next())
    case .lost(let reason):
      ended(leg, "lost: \(reason)", redialIn: isNative ? retry : backoff.next())
    case .refused(let response):
      let isFinal = isNative || [400, 401, 403, 404].contains(response.status.code)
      let wait = backoff.next(atLeast: response.retryAfter ?? .zero)
      ended(leg, "refused: \(response.status.code)", redialIn: isFinal ? nil : wait)
    }
  }
}
