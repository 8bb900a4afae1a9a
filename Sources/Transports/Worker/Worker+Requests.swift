import Admission
import Delivery
import Brokering
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

/// What every transport asks for in the same way.
extension Worker {
  /// Answers a client that comes in a way that is switched off, or too often.
  /// - Parameter refuse: answers one that comes too often; by default with the error.
  func admits(
    _ request: HTTPRequest,
    by transport: TransportKind,
    _ responder: Responder,
    refuse: ((ClientError) -> Void)?
  ) -> Bool {
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
    if let refusal = refusalToRequest(request) {
      if let refuse { refuse(refusal) } else { responder.respond(refusal) }
      return false
    }
    return true
  }

  /// The client's address, as far as it is known: behind a proxy of ours the one that it tells.
  func address(of request: HTTPRequest) -> ClientAddress? {
    if isProxied(request) { return request.forwardedAddress.flatMap { ClientAddress($0) } }
    return request.peer.flatMap { ClientAddress($0) }
  }

  /// The same where the connection itself was not counted for it, because it is a proxy's.
  func proxiedAddress(of request: HTTPRequest) -> ClientAddress? {
    guard context.ledger?.countsAddresses == true, isProxied(request) else { return nil }
    return address(of: request)
  }

  /// Why the address may make no request now.
  private func refusalToRequest(_ request: HTTPRequest) -> ClientError? {
    guard let requests = context.requests, let address = address(of: request),
      let wait = requests.take(from: address, now: entry.eventLoop.now)
    else { return nil }
    context.metrics.over.requests.add()
    return ClientError(.rateLimited, "too many requests of one address", retryAfterMS: wait)
  }

  /// Why the caller may read no log, and not who is present, now; nil when it may, and its address is charged for it.
  func refusalToRead(by caller: Caller) -> ClientError? {
    guard let reads = context.reads, let address = caller.clientAddress,
      let wait = reads.take(from: address, now: entry.eventLoop.now)
    else { return nil }
    return tooManyReads(wait)
  }

  /// Why the caller may not go on from a position now: more was read for its address than it may have. Nil when it may;
  /// for how many channels a log is read then is known, and charged, afterwards.
  func refusalToResume(by caller: Caller) -> ClientError? {
    guard let reads = context.reads, let address = caller.clientAddress,
      let wait = reads.wait(for: address, now: entry.eventLoop.now)
    else { return nil }
    return tooManyReads(wait)
  }

  /// Charges the caller's address for so many reads of logs, whether it may have them or not.
  func charge(reads count: Int, to caller: Caller) {
    guard count > 0, let address = caller.clientAddress else { return }
    context.reads?.charge(count, to: address, now: entry.eventLoop.now)
  }

  private func tooManyReads(_ wait: Int) -> ClientError {
    context.metrics.over.addressReads.add()
    return ClientError(
      .rateLimited,
      "too many reads by one address",
      retryAfterMS: Jitter.roomMS(after: wait)
    )
  }

  /// Why these channels may not be followed for the caller now. Those that this loop does not follow yet are charged to its
  /// address: each is a subscription of the feed, a read of its position and a name that the cluster keeps for a while.
  /// - Parameter joins: presences that begin without a connection that holds them.
  func refusalToFollow(
    _ channels: some Sequence<ChannelName>,
    by caller: Caller,
    joins: Int = 0
  ) -> ClientError? {
    guard let follows = context.follows else { return nil }
    let count = channels.count { !shard.isFollowing($0) } + joins
    guard count > 0, let address = caller.clientAddress,
      let wait = follows.take(count, from: address, now: entry.eventLoop.now)
    else { return nil }
    context.metrics.over.subscribes.add()
    return ClientError(
      .rateLimited,
      "too many new channels of one address",
      retryAfterMS: Jitter.roomMS(after: wait)
    )
  }

  /// The session that the client gives back, or a new one; what was another user's is not this one's.
  func session(of request: HTTPRequest, _ caller: Caller) -> Session {
    givenSession(of: request, caller) ?? Session(user: caller.user)
  }

  func givenSession(of request: HTTPRequest, _ caller: Caller) -> Session? {
    let given = request.query["session"] ?? request.headers.first(name: "Sluice-Session")
    return given.flatMap { Session(secret: $0, user: caller.user) }
  }

  /// Whether the request came through a proxy that can be asked to try another node.
  func isProxied(_ request: HTTPRequest) -> Bool {
    guard request.headers.contains(name: "X-Forwarded-For"), let peer = request.peer else { return false }
    return context.isTrustedProxy(peer)
  }

  /// Publishes one JSON text. `data` is validated where `isValidated` is false, and copied: it may share the
  /// storage of a receive buffer.
  func publish(
    _ data: ByteBuffer,
    to channel: ChannelName,
    by caller: Caller,
    over transport: TransportKind,
    member: String?,
    key: String?,
    isValidated: Bool = true,
    _ done: @escaping (Result<Receipt, ClientError>) -> Void
  ) {
    if let error = refusal(.publish, channel, by: caller) { return done(.failure(error)) }
    if let error = tooLarge(data, channel) { return done(.failure(error)) }
    if !isValidated {
      do {
        try JSONScanner.validate(data)
      } catch {
        return done(.failure(ClientError(.badJSON, "the body is not one JSON value: \(error)")))
      }
    }
    var kept = ByteBuffer(bytes: data.readableBytesView)
    kept.replaceLineBreaks()
    decidePublish(kept, channel, by: caller, over: transport, member: member) {
      [shard, metrics = context.metrics] in
      switch $0 {
      case .failure(let error): done(.failure(error))
      case .success(let data):
        shard.port.publish(Publication(channel: channel, data: data, user: caller.user, key: key)) {
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
    }
  }

  func tooLarge(_ data: ByteBuffer, _ channel: ChannelName) -> ClientError? {
    let most = context.namespaces[channel].maxMessageBytes
    guard data.readableBytes > most else { return nil }
    context.metrics.over.messageSize.add()
    return ClientError(.tooLarge, "data has \(data.readableBytes) bytes; \(most) at most")
  }

  func readPresence(
    of channel: ChannelName,
    limit: Int?,
    after: String?,
    by caller: Caller,
    over transport: TransportKind,
    _ done: @escaping (Result<PresencePage, ClientError>) -> Void
  ) {
    if let refusal = refusalToRead(by: caller) { return done(.failure(refusal)) }
    permit(.presence, channel, by: caller, over: transport, member: nil) { [shard] error in
      if let error { return done(.failure(error)) }
      shard.port.members(of: channel, limit: limit ?? 100, after: after) {
        done($0.mapError { ClientError($0, "presence cannot be read") })
      }
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
