import Admission
import Delivery
import Framing
import NIOCore
import NIOHTTP1
import Telemetry
public import Wire

extension Worker {
  /// Channels of one stream or poll, at the most, however many a connection may have: every event, or answer, names its
  /// place in all of them.
  static let channelsPerStream = 100

  /// The channels that a stream or poll asks for.
  func channels(of request: HTTPRequest) throws(ClientError) -> [ChannelName] {
    let most = min(Worker.channelsPerStream, context.channelsPerConnection)
    return try request.channels(atMost: most) { context.metrics.over.channels.add() }
  }

  func addEventStreamRoutes(to routes: inout RouteTable) {
    routes.add(.GET, "/v1/stream") { [unowned self] request, responder in
      let refuse = { [self] (error: ClientError) in refuseStream(request, responder, error) }
      admit(request, by: .eventStream, responder, refuse: refuse) { [self] caller in
        do throws(ClientError) {
          try stream(request, responder, by: caller)
        } catch {
          responder.respond(error)
        }
      }
    }
  }

  private func stream(_ request: HTTPRequest, _ responder: Responder, by caller: Caller) throws(ClientError) {
    let channels = try channels(of: request)
    let since = try request.streamSince
    let presence = try request.presenceWish
    let session = session(of: request, caller)
    permit(
      subscribing: channels,
      fromStart: since == .start,
      presence: presence,
      by: caller,
      over: .eventStream,
      member: session.member,
      while: { responder.isOpen }
    ) { [self] error in
      guard responder.isOpen else { return }
      if let error { return refuseStream(request, responder, error) }
      follow(channels, since: since, presence: presence, session, caller, request, responder)
    }
  }

  private func follow(
    _ channels: [ChannelName],
    since: SinceSet?,
    presence: PresenceWish?,
    _ session: Session,
    _ caller: Caller,
    _ request: HTTPRequest,
    _ responder: Responder
  ) {
    let isReturning = givenSession(of: request, caller) != nil
    comeIn(proxiedAddress(of: request), caller, isReturning: isReturning) { [self] in
      switch $0 {
      case .failure(let refusal): sendElsewhere(request, responder, refusal)
      case .success(let place):
        guard responder.isOpen else {
          place?.giveUp()
          return
        }
        if let refusal = refusalToFollow(channels, by: caller) {
          place?.giveUp()
          return sendElsewhere(request, responder, refusal)
        }
        let connection = EventStreamConnection(
          worker: self,
          session: session,
          caller: caller,
          presence: presence,
          heldPlace: place,
          isChunked: request.version != .http1_0
        )
        follow(channels, since: since, connection, request, responder)
      }
    }
  }

  private func follow(
    _ channels: [ChannelName],
    since: SinceSet?,
    _ connection: EventStreamConnection,
    _ request: HTTPRequest,
    _ responder: Responder
  ) {
    var waiting = channels.count
    var failure: ClientError?
    responder.onGone = { connection.abandoned() }
    for channel in channels {
      shard.subscribe(
        connection.subscriber,
        to: channel,
        since: since?.since(channel),
        hearsPresence: connection.presence != nil
      ) { [self] in
        if case .failure(let error) = $0 { failure = error }
        waiting -= 1
        guard waiting == 0 else { return }
        if let failure {
          connection.abandoned()
          return sendElsewhere(request, responder, failure)
        }
        let headers: HTTPHeaders = [
          "Content-Type": EventStreamEncoder.contentType, "Cache-Control": "no-store",
          "X-Accel-Buffering": "no",
        ]
        guard let body = responder.beginStream(headers: headers) else { return connection.abandoned() }
        connection.begin(body)
      }
    }
  }

  /// Answers who may not have this stream, for good or because nobody can decide that now.
  private func refuseStream(_ request: HTTPRequest, _ responder: Responder, _ error: ClientError) {
    switch error.code {
    case .unavailable, .overloaded, .rateLimited: sendElsewhere(request, responder, error)
    default: responder.respond(Problem(error, challengesToken: request.token != nil))
    }
  }

  /// Answers the request of a connection that may not stay.
  public func refuse(_ request: HTTPRequest, _ responder: Responder, _ error: ClientError) {
    guard request.path == "/v1/stream" else { return responder.respond(error) }
    sendElsewhere(request, responder, error)
  }

  /// A proxy tries another node at `503`. A browser that comes directly takes any status but `200` as final,
  /// so it gets a stream that ends at once and says when to come back, and why.
  private func sendElsewhere(_ request: HTTPRequest, _ responder: Responder, _ error: ClientError) {
    if isProxied(request) { return responder.respond(error) }
    let headers: HTTPHeaders = [
      "Content-Type": EventStreamEncoder.contentType, "Cache-Control": "no-store",
    ]
    guard let body = responder.beginStream(headers: headers) else { return }
    let isTimed = error.code == .overloaded || error.code == .rateLimited
    var error = error
    error.retryAfterMS = isTimed ? error.retryAfterMS : Jitter.refusedStreamMS()
    var all = ByteBuffer()
    EventStreamEncoder.writeRetry(milliseconds: error.retryAfterMS ?? 0, into: &all)
    var event = ByteBuffer()
    ServerEvent.error(id: nil, error).write(into: &event)
    EventStreamEncoder.write(name: "error", id: request.lastEventID, data: event, into: &all)
    body.write(all)
    body.end()
  }
}

extension HTTPRequest {
  /// Where the client was, to be told to it again: some forget it by an event that has none.
  fileprivate var lastEventID: ByteBuffer? {
    guard let last = headers.first(name: "Last-Event-ID"), SinceSet(last) != nil else { return nil }
    return ByteBuffer(string: last)
  }

  /// Where the client asks to go on: `Last-Event-ID`, else `since=`.
  var streamSince: SinceSet? {
    get throws(ClientError) {
      let asked = try sinceSet
      guard let last = headers.first(name: "Last-Event-ID"), !last.isEmpty else { return asked }
      guard let since = SinceSet(last) else {
        throw ClientError(.badCursor, "Last-Event-ID: a cursor set (channel@epoch.offset,…) or start")
      }
      return since
    }
  }
}
