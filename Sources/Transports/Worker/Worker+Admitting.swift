import Admission
import Framing
import NIOCore
import NIOHTTP1
import Telemetry
import Wire

/// Who comes in: by a token, or without one where that is allowed.
extension Worker {
  /// Goes on with who asks, at once as a rule; answers a client that may not come in, or not this way.
  /// - Parameter refuse: answers a client that is refused; by default with the error.
  func admit(
    _ request: HTTPRequest,
    by transport: TransportKind,
    _ responder: Responder,
    refuse: ((ClientError) -> Void)? = nil,
    _ goOn: @escaping (Caller) -> Void
  ) {
    guard admits(request, by: transport, responder, refuse: refuse) else { return }
    identify(request) { [self] in
      switch $0 {
      case .success(let caller):
        decideConnect(caller, over: transport) { [self] in
          // The client may have gone while the answer was waited for.
          guard responder.isOpen else { return }
          switch $0 {
          case .success(let caller): goOn(caller)
          case .failure(let error): refuseCaller(error, hasToken: true, responder, refuse)
          }
        }
      case .failure(let error): refuseCaller(error, hasToken: request.token != nil, responder, refuse)
      }
    }
  }

  private func refuseCaller(
    _ error: ClientError,
    hasToken: Bool,
    _ responder: Responder,
    _ refuse: ((ClientError) -> Void)?
  ) {
    if let refuse, responder.isOpen { return refuse(error) }
    responder.respond(Problem(error, challengesToken: hasToken))
  }

  private func identify(_ request: HTTPRequest, _ done: @escaping (Result<Caller, ClientError>) -> Void) {
    let origin = origin(of: request)
    guard let tokens = context.tokens else {
      guard context.servesAnonymous else {
        return done(
          .failure(ClientError(.unauthorized, "this node serves no anonymous clients, and has no token keys"))
        )
      }
      return done(.success(Caller(from: origin)))
    }
    guard let token = request.token else {
      guard context.servesAnonymous else {
        return done(
          .failure(
            ClientError(
              .unauthorized,
              "a token is missing: Authorization: Bearer, token=, or the subprotocol bearer.TOKEN"
            )
          )
        )
      }
      return done(.success(Caller(from: origin)))
    }
    verify(token, with: tokens, from: address(of: request)) {
      done($0.map { tokens.caller($0, from: origin) })
    }
  }

  /// The claims of a token, at once unless its key has to be asked for.
  /// - Parameter address: is charged for a token that no key verifies; nil for one that is not known.
  func verify(
    _ token: String,
    with tokens: TokenVerifier,
    from address: ClientAddress?,
    _ done: @escaping (Result<TokenClaims, ClientError>) -> Void
  ) {
    if let refusal = refusalToVerify(token, with: tokens, from: address) { return done(.failure(refusal)) }
    let (loop, metrics, unverified) = (entry.eventLoop, context.metrics, context.unverifiedTokens)
    let done = NIOLoopBound(done, eventLoop: loop)
    tokens.verify(token, on: loop) { result in
      if case .failure(let fault) = result {
        metrics.refusedTokens.add()
        if fault.isUnverified, let address { unverified?.charge(to: address, now: loop.now) }
      }
      done.value(result.mapError(\.error))
    }
  }

  /// Why the token is not looked at: its address has shown too many that no key verifies. One that was verified lately
  /// costs no signature, and is not refused for what others of the address have done.
  private func refusalToVerify(
    _ token: String,
    with tokens: TokenVerifier,
    from address: ClientAddress?
  ) -> ClientError? {
    guard let address,
      let wait = context.unverifiedTokens?.wait(for: address, now: entry.eventLoop.now),
      !tokens.remembers(token)
    else { return nil }
    context.metrics.over.tokens.add()
    return ClientError(
      .rateLimited,
      "too many tokens of one address that no key verifies",
      retryAfterMS: Jitter.roomMS(after: wait)
    )
  }

  /// The client's own address: behind a proxy of ours what that tells.
  private func origin(of request: HTTPRequest) -> Caller.Origin {
    guard let peer = request.peer else { return .unknown }
    if let forwarded = request.forwardedAddress, context.isTrustedProxy(peer) { return .told(forwarded) }
    return .peer(peer)
  }

  /// What goes wrong here is told in a way that a page can read: it sees nothing of a handshake that fails. So
  /// the handshake succeeds, and the connection says why it is closed.
  func closeSocket(_ request: HTTPRequest, _ responder: Responder, because error: ClientError) {
    let settings = WebSocketSettings(maximumMessageSize: 125)
    WebSocketUpgrade.perform(request, responder, settings: settings) { _ in RefusedSocket(error) }
  }
}

extension HTTPRequest {
  /// Where a client presents its token, the header first (RFC 6750 section 2).
  var token: String? {
    if let token = bearerToken { return String(token) }
    if let token = query["token"], !token.isEmpty { return token }
    return WebSocketHandshake.bearerToken(in: headers).map(String.init)
  }

  /// Whether a page of a browser opens this WebSocket.
  var isOfPage: Bool { headers.contains(name: "Origin") }
}

extension Problem {
  /// With the challenge that tells a client what of its token was wrong (RFC 6750 section 3).
  init(_ error: ClientError, challengesToken: Bool) {
    self.init(error)
    guard challengesToken, status == .unauthorized else { return }
    // Messages are ours, without quotes in them but those that JSON would escape too.
    let text = error.message.replacing("\"", with: "'").replacing("\\", with: "/")
    headers.add(
      name: "WWW-Authenticate",
      value: "Bearer error=\"invalid_token\", error_description=\"\(text)\""
    )
  }
}

/// A WebSocket that is opened only to say why it is closed.
final class RefusedSocket: WebSocketOwner {
  private let error: ClientError

  init(_ error: ClientError) {
    self.error = error
  }

  func opened(_ connection: WebSocketConnection<RefusedSocket>) {
    var text = ByteBuffer()
    ServerEvent.error(id: nil, error).write(into: &text)
    var frame = ByteBuffer()
    WebSocketFrame.write(.text, payload: text, into: &frame)
    connection.write(frame)
    connection.close(error.code.rule.closeCode, reason: String(error.message.utf8.prefix(100)) ?? "")
  }

  func messageArrived(
    _ kind: WebSocketDecoder.MessageKind,
    _ payload: ByteBuffer,
    on connection: WebSocketConnection<RefusedSocket>
  ) {}

  func writabilityChanged(_ isWritable: Bool, on connection: WebSocketConnection<RefusedSocket>) {}

  func closed(_ connection: WebSocketConnection<RefusedSocket>, because reason: WebSocketEnd) {}
}

@available(*, unavailable) extension RefusedSocket: Sendable {}
