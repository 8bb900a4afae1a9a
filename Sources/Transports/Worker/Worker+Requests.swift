import Admission
import Delivery
import Brokering
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

/// What every transport asks for in the same way.
extension Worker {
  /// Answers a client that may not come in, or not this way.
  func admits(_ request: HTTPRequest, by transport: TransportKind, _ responder: Responder) -> Bool {
    guard context.transports.contains(transport) else {
      let others = TransportKind.allCases.filter(context.transports.contains).map(\.rawValue)
      responder.respond(
        ClientError(
          .transportDisabled,
          "\(transport.rawValue) is switched off here; there is \(others.joined(separator: ", "))"
        )
      )
      return false
    }
    guard !context.servesAnonymous else { return true }
    responder.respond(
      ClientError(.unauthorized, "this node serves no anonymous clients, and has no token keys")
    )
    return false
  }

  /// Why a connection that is to be held cannot come in now; nil when it may, and is counted.
  func refusalToHold() -> ClientError? {
    if isRefusing {
      context.metrics.refused.add()
      return ClientError(.draining, "this node is draining; connect again")
    }
    if case .comeBack(let wait)? = context.gate?.knock(now: entry.eventLoop.now) {
      context.metrics.overloaded.add()
      return ClientError(
        .overloaded,
        "too many connect at once; there will be room in \((wait + 999) / 1_000) s",
        retryAfterMS: wait
      )
    }
    context.metrics.connects.add()
    return nil
  }

  /// The session that the client gives back, or a new one.
  func session(of request: HTTPRequest) -> Session {
    let given = request.query["session"] ?? request.headers.first(name: "Sluice-Session")
    return given.flatMap { Session(secret: $0, user: nil) } ?? Session(user: nil)
  }

  /// Whether the request came through a proxy that can be asked to try another node.
  func isProxied(_ request: HTTPRequest) -> Bool {
    guard request.headers.contains(name: "X-Forwarded-For"), let peer = request.peer else { return false }
    return context.isTrustedProxy(peer)
  }

  func refusal(toSubscribe channel: ChannelName, presence: PresenceWish?) -> ClientError? {
    let options = context.namespaces[channel]
    guard options.subscribe == .everyone else {
      return ClientError(.forbidden, "subscribing to \(channel.namespace) needs a token that grants it")
    }
    guard presence == nil || options.presence else {
      return ClientError(.forbidden, "the namespace \(channel.namespace) has no presence")
    }
    return nil
  }

  /// Publishes one JSON text. `data` is validated where `isValidated` is false, and copied: it may share the
  /// storage of a receive buffer.
  func publish(
    _ data: ByteBuffer,
    to channel: ChannelName,
    user: String?,
    key: String?,
    isValidated: Bool = true,
    _ done: @escaping (Result<Receipt, ClientError>) -> Void
  ) {
    let options = context.namespaces[channel]
    guard options.publish == .everyone else {
      return done(
        .failure(ClientError(.forbidden, "publishing to \(channel.namespace) needs a token that grants it"))
      )
    }
    guard data.readableBytes <= options.maxMessageBytes else {
      return done(
        .failure(
          ClientError(.tooLarge, "data has \(data.readableBytes) bytes; \(options.maxMessageBytes) at most")
        )
      )
    }
    if !isValidated {
      do {
        try JSONScanner.validate(data)
      } catch {
        return done(.failure(ClientError(.badJSON, "the body is not one JSON value: \(error)")))
      }
    }
    var kept = ByteBuffer(bytes: data.readableBytesView)
    kept.replaceLineBreaks()
    let metrics = context.metrics
    shard.port.publish(Publication(channel: channel, data: kept, user: user, key: key)) {
      switch $0 {
      case .success(let receipt):
        metrics.publishes.add()
        done(.success(receipt))
      case .failure(let error):
        metrics.failedPublishes.add()
        done(.failure(ClientError(error, "not published")))
      }
    }
  }

  func readPresence(
    of channel: ChannelName,
    limit: Int?,
    after: String?,
    _ done: @escaping (Result<PresencePage, ClientError>) -> Void
  ) {
    if let error = refusal(toSubscribe: channel, presence: .watch) { return done(.failure(error)) }
    shard.port.members(of: channel, limit: limit ?? 100, after: after) {
      done($0.mapError { ClientError($0, "presence cannot be read") })
    }
  }
}

extension ClientError {
  /// What the client of a broker is told.
  init(_ error: BrokerError, _ what: String) {
    switch error.kind {
    case .unavailable: self.init(.unavailable, "\(what): \(error.reason)", retryAfterMS: error.retryAfterMS)
    case .broken: self.init(.internal, "\(what): \(error.reason)")
    }
  }
}
