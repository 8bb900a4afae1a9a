import Admission
import Framing
import NIOCore
import NIOHTTP1
import Wire

/// Makes whole requests of the parser's parts and decides, as early as it can be known, which handler gets each or
/// with what it is refused. Pure: it reads no clock and writes nothing.
struct RequestAssembler {
  enum Action {
    /// More parts are needed.
    case wait
    /// The client waits for leave to send its body (RFC 9110 section 10.1.1).
    case allowBody
    case dispatch(HTTPRequest, Exchange, RouteTable.Handler)
    /// An answer without a handler. Without keep-alive what still comes of the request is not looked at.
    case answer(Answer, Exchange)
  }

  enum Answer {
    case problem(Problem)
    case options(allow: String)
  }

  private struct Matched {
    let head: HTTPRequestHead
    let target: RequestTarget
    let parameters: PathParameters
    let route: RouteTable.Route
    var body = ByteBuffer()

    func request(peer: SocketAddress?) -> HTTPRequest {
      HTTPRequest(
        method: self.head.method,
        version: self.head.version,
        headers: self.head.headers,
        path: self.target.path,
        parameters: self.parameters,
        query: self.target.query,
        body: self.body,
        peer: peer
      )
    }
  }

  /// Apart from the connection, which has it only inside a request.
  private indirect enum State {
    case betweenRequests
    case receiving(Matched)
    /// The answer is known and waits for the end of a request without a body.
    case refusing(Answer)
  }

  private var state = State.betweenRequests
  private var exchange = Exchange()
  private let targetLength: Int

  init(limits: HTTPLimits) {
    self.targetLength = limits.targetLength
  }

  /// Whether a head has come and its end has not.
  var isInsideRequest: Bool {
    if case .betweenRequests = self.state { false } else { true }
  }

  /// Bytes that the body of the present request may have; nil between requests.
  var bodyLimit: Int? {
    if case .receiving(let matched) = self.state { matched.route.bodyLimit } else { nil }
  }

  mutating func take(
    _ part: HTTPServerRequestPart,
    routes: RouteTable,
    peer: @autoclosure () -> SocketAddress?
  ) -> Action {
    switch part {
    case .head(let head): self.takeHead(head, routes: routes, peer: peer())
    case .body(let bytes): self.takeBody(bytes)
    case .end(let trailers): self.takeEnd(trailers, peer: peer())
    }
  }

  private mutating func takeHead(
    _ head: HTTPRequestHead,
    routes: RouteTable,
    peer: @autoclosure () -> SocketAddress?
  ) -> Action {
    self.exchange = Exchange(
      version: head.version,
      isHead: head.method == .HEAD,
      keepsAlive: head.isKeepAlive && !Self.leavesHTTP(head)
    )
    switch self.judge(head, routes: routes, peer: peer()) {
    case .refused(let answer):
      guard !Self.hasBody(head) else { return self.refuse(answer, keepsAlive: false) }
      self.state = .refusing(answer)
      return .wait
    case .accepted(let matched):
      self.state = .receiving(matched)
      return Self.expectsLeave(head) ? .allowBody : .wait
    case .broken(let problem):
      return self.refuse(.problem(problem), keepsAlive: false)
    }
  }

  private mutating func takeBody(_ bytes: ByteBuffer) -> Action {
    guard case .receiving(var matched) = self.state else { return .wait }
    self.state = .betweenRequests
    guard matched.body.readableBytes + bytes.readableBytes <= matched.route.bodyLimit else {
      return self.refuse(.problem(Self.tooLarge(limit: matched.route.bodyLimit)), keepsAlive: false)
    }
    matched.body.writeImmutableBuffer(bytes)
    self.state = .receiving(matched)
    return .wait
  }

  /// A parser takes trailers like `Connection` and `Upgrade` for the connection's, so whether it goes on after any
  /// cannot be told: that answer is the last.
  private mutating func takeEnd(_ trailers: HTTPHeaders?, peer: SocketAddress?) -> Action {
    if trailers?.isEmpty == false { self.exchange.keepsAlive = false }
    defer { self.state = .betweenRequests }
    switch self.state {
    case .betweenRequests:
      return .wait
    case .refusing(let answer):
      return .answer(answer, self.exchange)
    case .receiving(let matched):
      return .dispatch(matched.request(peer: peer), self.exchange, matched.route.handler)
    }
  }

  private mutating func refuse(_ answer: Answer, keepsAlive: Bool) -> Action {
    self.state = .betweenRequests
    self.exchange.keepsAlive = self.exchange.keepsAlive && keepsAlive
    return .answer(answer, self.exchange)
  }
}

// MARK: judging a head

extension RequestAssembler {
  private enum Judgement {
    case accepted(Matched)
    /// The request is understood and answered with this.
    case refused(Answer)
    /// What follows cannot be trusted to be another request.
    case broken(Problem)
  }

  private mutating func judge(
    _ head: HTTPRequestHead,
    routes: RouteTable,
    peer: @autoclosure () -> SocketAddress?
  ) -> Judgement {
    if let problem = self.fault(in: head) { return .broken(problem) }
    if head.method == .CONNECT { return .broken(Problem(.methodNotAllowed, "this is no proxy")) }
    guard let target = RequestTarget(head.uri) else {
      let message = "the target is malformed: expected a path and query, escapes like %2F, and UTF-8"
      return .refused(.problem(Problem(.badRequest, message)))
    }
    if target.isAsterisk {
      guard head.method == .OPTIONS else {
        return .refused(.problem(Problem(.badRequest, "* is a target for OPTIONS only")))
      }
      return .refused(.options(allow: routes.allMethods))
    }
    var isAllowedPage = false
    if let policy = routes.origins, target.segments.first == "v1" {
      let verdict = CrossOrigin.judge(head, by: policy)
      self.exchange.headers = CrossOrigin.headers(verdict, policy)
      if case .refused = verdict {
        return .refused(.problem(Problem(.forbidden, "pages of this origin may not ask here")))
      }
      if case .allowed = verdict { isAllowedPage = true }
    }
    switch routes.match(head.method, target.segments) {
    case .none:
      return .refused(.problem(Problem(.notFound, "there is nothing at \(target.path)")))
    case .otherMethods(let allow) where head.method == .OPTIONS:
      if isAllowedPage { self.exchange.headers.add(contentsOf: CrossOrigin.preflight(head, allow: allow)) }
      return .refused(.options(allow: allow))
    case .otherMethods(let allow):
      let message = "\(head.method.rawValue) is not for \(target.path)"
      return .refused(.problem(Problem(.methodNotAllowed, message, headers: ["Allow": allow])))
    case .found(let route, let parameters):
      let declared = head.headers.first(name: "Content-Length").flatMap { UInt64($0) } ?? 0
      guard declared <= UInt64(route.bodyLimit) else {
        return .refused(.problem(Self.tooLarge(limit: route.bodyLimit)))
      }
      let matched = Matched(head: head, target: target, parameters: parameters, route: route)
      if let admits = route.admits, let refusal = admits(matched.request(peer: peer())) {
        return .refused(.problem(Problem(refusal)))
      }
      return .accepted(matched)
    }
  }

  /// What makes the framing or the address of the request doubtful (RFC 9112 sections 3.2 and 6.1).
  private func fault(in head: HTTPRequestHead) -> Problem? {
    if head.uri.utf8.count > self.targetLength {
      let message = "the request target is over \(self.targetLength) bytes"
      return Problem(.tooLarge, message, status: .uriTooLong)
    }
    let hosts = head.headers["Host"]
    if hosts.count > 1 || (hosts.isEmpty && head.version != .http1_0) {
      return Problem(.badRequest, "a request has exactly one Host header")
    }
    if let host = hosts.first, !RequestTarget.isHost(host) {
      return Problem(.badRequest, "Host: a name or an address, and maybe a port")
    }
    // As they stand: a list without its empty members would hide a field that is there.
    let codings = head.headers["Transfer-Encoding"]
    if !codings.isEmpty {
      if head.headers.contains(name: "Content-Length") {
        return Problem(.badRequest, "both Content-Length and Transfer-Encoding")
      }
      guard codings.count == 1, Self.isChunked(codings[0]), head.version != .http1_0 else {
        return Problem(.badRequest, "the only transfer coding is chunked", status: .notImplemented)
      }
    }
    for expectation in head.headers["Expect"] where expectation.lowercased() != "100-continue" {
      return Problem(.badRequest, "the only expectation is 100-continue", status: .expectationFailed)
    }
    return nil
  }

  private static func isChunked(_ coding: String) -> Bool {
    var bytes = Substring(coding).utf8
    while bytes.last == 0x20 || bytes.last == 0x09 { bytes.removeLast() }
    return Substring(bytes).lowercased() == "chunked"
  }

  private static func tooLarge(limit: Int) -> Problem {
    Problem(.tooLarge, limit == 0 ? "this request has no body" : "the body is over \(limit) bytes")
  }

  private static func hasBody(_ head: HTTPRequestHead) -> Bool {
    if head.headers.contains(name: "Transfer-Encoding") { return true }
    return head.headers.first(name: "Content-Length").map { UInt64($0) != 0 } ?? false
  }

  private static func expectsLeave(_ head: HTTPRequestHead) -> Bool {
    head.version != .http1_0 && self.hasBody(head) && head.headers.contains(name: "Expect")
  }

  /// After such a head the parser takes nothing more for HTTP, so the answer is the connection's last unless the
  /// connection is taken over.
  private static func leavesHTTP(_ head: HTTPRequestHead) -> Bool {
    head.method == .CONNECT || head.headers.contains(name: "Upgrade")
  }
}
