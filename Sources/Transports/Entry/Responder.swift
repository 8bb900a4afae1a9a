import Admission
import Framing
public import NIOCore
public import NIOHTTP1
public import Wire

/// The right to answer one request, once. Confined to the connection's event loop.
///
/// Whatever is called after the answer, or after the client has gone, does nothing.
public final class Responder {
  private var connection: HTTPConnectionHandler?
  private let exchange: Exchange
  public let loop: EntryLoop

  /// Called at most once, when the client goes away before the answer is begun. Who sets it holds the request for
  /// long: the connection is then closed as soon as the client stops sending.
  public var onGone: (() -> Void)?
  /// Called once, with the status of the answer; nil when the client has gone before it.
  public var onAnswer: ((HTTPResponseStatus?) -> Void)?

  init(connection: HTTPConnectionHandler, exchange: Exchange, loop: EntryLoop) {
    self.connection = connection
    self.exchange = exchange
    self.loop = loop
  }

  public var eventLoop: any EventLoop { self.loop.eventLoop }

  /// Whether an answer can still be given.
  public var isOpen: Bool { self.connection != nil }

  /// A message of so many bytes came by the request's connection: what may be said of it there.
  func sent(_ bytes: Int, _ limits: SendingLimits) -> SendingMeter.Verdict {
    guard let connection = self.connection else { return .accepted }
    let now = self.eventLoop.now
    guard case .accepted = connection.sent.bytesArrived(bytes, limits, now: now) else { return .offends }
    return connection.sent.messageArrived(limits, now: now)
  }

  /// Answers with a whole response. A body is left out where the request was a `HEAD`.
  public func respond(
    _ status: HTTPResponseStatus,
    headers: HTTPHeaders = [:],
    body: ByteBuffer = ByteBuffer()
  ) {
    guard let connection = self.take() else { return }
    self.onAnswer?(status)
    self.onAnswer = nil
    let hasBody = status.mayHaveResponseBody && status != .notModified
    let head = ResponseHead(
      version: self.exchange.version,
      status: status,
      headers: self.joined(headers),
      body: hasBody ? .length(body.readableBytes) : .none,
      keepsAlive: self.exchange.keepsAlive && self.loop.keepsAnother()
    )
    connection.write(head, body: hasBody && !self.exchange.isHead ? body : ByteBuffer())
    connection.finishedAnswer(keepsAlive: head.keepsAlive)
  }

  /// Answers with a problem.
  public func respond(_ problem: Problem) {
    self.respond(problem.status, headers: problem.allHeaders, body: problem.body)
  }

  /// Answers with the error as the one table of errors has it.
  public func respond(_ error: ClientError) {
    self.respond(Problem(error))
  }

  /// Begins an answer whose body comes bit by bit: chunked, or until the connection closes for HTTP/1.0. Nil when
  /// there is nobody to send a body to: the client has gone, or asked with `HEAD` and has its answer now.
  public func beginStream(_ status: HTTPResponseStatus = .ok, headers: HTTPHeaders) -> BodyStream? {
    guard let connection = self.take() else { return nil }
    let isChunked = self.exchange.version != .http1_0
    let head = ResponseHead(
      version: self.exchange.version,
      status: status,
      headers: self.joined(headers),
      body: isChunked ? .chunked : .untilClose,
      keepsAlive: self.exchange.keepsAlive && self.loop.keepsAnother()
    )
    connection.write(head, body: ByteBuffer())
    if self.exchange.isHead {
      connection.finishedAnswer(keepsAlive: head.keepsAlive)
      return nil
    }
    return connection.beganStream(isChunked: isChunked, keepsAlive: head.keepsAlive)
  }

  /// Answers `101` and leaves the connection to another handler, which gets every byte that comes after the
  /// request as `ByteBuffer`, also what has already come. Only for requests with an `Upgrade` header. The
  /// handler is made only when the client is still there; its `handlerAdded` may write at once.
  /// - Returns: whether the connection was taken over.
  @discardableResult
  public func takeOver(headers: HTTPHeaders, by makeHandler: () -> any ChannelHandler) -> Bool {
    guard let connection = self.take() else { return false }
    let head = ResponseHead(status: .switchingProtocols, headers: headers, body: .none, keepsAlive: true)
    connection.write(head, body: ByteBuffer())
    connection.hand(to: makeHandler())
    return true
  }

  /// The client has gone; no answer can be given any more.
  func clientWent() {
    self.connection = nil
    let onGone = self.onGone
    self.onGone = nil
    onGone?()
    self.onAnswer?(nil)
    self.onAnswer = nil
  }

  private func joined(_ headers: HTTPHeaders) -> HTTPHeaders {
    guard !self.exchange.headers.isEmpty else { return headers }
    var headers = headers
    headers.add(contentsOf: self.exchange.headers)
    return headers
  }

  private func take() -> HTTPConnectionHandler? {
    defer {
      self.connection = nil
      self.onGone = nil
    }
    return self.connection
  }
}

@available(*, unavailable)
extension Responder: Sendable {}
