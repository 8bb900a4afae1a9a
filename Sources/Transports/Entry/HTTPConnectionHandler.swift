import DequeModule
import Framing
public import NIOCore
public import NIOHTTP1
import Wire

/// One client's HTTP/1 connection: one request at a time, in order, each answered by its route's handler.
///
/// It stands behind the request parser and writes bytes; nothing outbound is between it and the socket.
public final class HTTPConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler, TimerWheelRider {
  public typealias InboundIn = HTTPServerRequestPart
  public typealias InboundOut = HTTPServerRequestPart
  public typealias OutboundIn = ByteBuffer
  public typealias OutboundOut = ByteBuffer

  enum Phase {
    /// Between requests, or inside one: the assembler knows. Goes to `answering`, or to `flushing` after a refusal.
    case receiving
    /// A handler has the request. Goes back to `receiving`, to `streaming`, `flushing` or `gone`.
    case answering(Responder)
    /// A handler sends a body. Goes back to `receiving`, to `flushing` or `gone`.
    case streaming(BodyStream)
    /// Everything is said and not yet all sent. Goes to `lingering`, or to `gone` when the client has ended too.
    case flushing
    /// Our half is closed; what the client still sends is dropped until it closes its half, or for a short time.
    /// Closing at once would reset the connection and might take our last answer from the client.
    case lingering
    /// Closed, or another handler's.
    case gone
  }

  public var wheelPlace = TimerWheel.Place()
  let loop: EntryLoop
  var phase = Phase.receiving
  var assembler: RequestAssembler
  var waiting = Deque<HTTPServerRequestPart>()
  /// The parser has given up; answered once what came before it is.
  var failure: Problem?
  var context: ChannelHandlerContext?
  var deadline: NIODeadline?
  /// The client has closed its half of the connection.
  var hasSeenEnd = false
  var isProcessing = false
  var needsFlush = false
  var holdsRead = false
  /// Whether bytes of a head that is not complete have come.
  var headHasBegun = false
  var sawPart = false

  /// Whether it is kept open between two requests.
  var isIdle = false

  /// `failure` is why the connection may not stay: the answer to its first request, if that comes soon.
  var isRefused: Bool

  /// - Parameter refusal: why the connection may not stay.
  init(loop: EntryLoop, refusal: ClientError? = nil) {
    self.loop = loop
    self.failure = refusal.map { Problem($0) }
    self.isRefused = refusal != nil
    self.assembler = RequestAssembler(limits: loop.limits)
  }

  // MARK: inbound

  public func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    self.loop.opened(self)
    let limits = self.loop.limits
    self.arm(after: self.isRefused ? min(limits.refusalTimeout, limits.headTimeout) : limits.headTimeout)
  }

  public func handlerRemoved(context: ChannelHandlerContext) {
    self.leave()
  }

  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.sawPart = true
    self.headHasBegun = false
    switch self.phase {
    case .receiving, .answering, .streaming:
      self.waiting.append(Self.unwrapInboundIn(data))
      self.process()
    case .flushing, .lingering, .gone:
      break
    }
  }

  public func channelReadComplete(context: ChannelHandlerContext) {
    if !self.sawPart { self.partialHeadArrived() }
    self.sawPart = false
    context.fireChannelReadComplete()
  }

  public func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    if case .streaming(let stream) = self.phase { stream.writabilityChanged(isWritable) }
    if isWritable { self.process() }
    context.fireChannelWritabilityChanged()
  }

  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .inputClosed? = event as? ChannelEvent { self.clientEnded() }
    context.fireUserInboundEventTriggered(event)
  }

  public func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch error {
    case HTTPParserError.headerOverflow:
      self.parserFailed(
        Problem(.tooLarge, "the request's head is too large", status: .requestHeaderFieldsTooLarge)
      )
    case HTTPParserError.invalidVersion:
      let status = HTTPResponseStatus.httpVersionNotSupported
      self.parserFailed(Problem(.badRequest, "the versions of HTTP here are 1.1 and 1.0", status: status))
    case is HTTPParserError:
      self.parserFailed(Problem(.badRequest, "this is not HTTP/1"))
    case is ByteToMessageDecoderError:
      break
    default:
      context.close(promise: nil)
    }
  }

  public func channelInactive(context: ChannelHandlerContext) {
    self.leave()
    context.fireChannelInactive()
  }

  public func read(context: ChannelHandlerContext) {
    if self.waiting.count > self.loop.limits.waitingParts {
      self.holdsRead = true
    } else {
      context.read()
    }
  }

  // MARK: requests

  /// Takes parts until a handler has a request, and again when it has answered.
  func process() {
    guard !self.isProcessing, let context = self.context else { return }
    self.isProcessing = true
    while case .receiving = self.phase, context.channel.isWritable, let part = self.waiting.popFirst() {
      self.loop.stoppedIdling(self)
      if case .head = part { self.arm(after: self.loop.limits.bodyTimeout) }
      self.perform(self.assembler.take(part, routes: self.loop.routes, peer: context.remoteAddress))
    }
    if case .receiving = self.phase, self.waiting.isEmpty {
      if let failure = self.failure, !self.isRefused {
        self.answer(.problem(failure), Exchange())
      } else if self.hasSeenEnd {
        self.startClosing()
      }
    }
    self.isProcessing = false
    self.flushIfNeeded()
    if self.holdsRead, self.waiting.count <= self.loop.limits.waitingParts {
      self.holdsRead = false
      self.context?.read()
    }
  }

  private func perform(_ action: RequestAssembler.Action) {
    switch action {
    case .wait:
      break
    case .allowBody:
      self.write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
    case .dispatch(let request, var exchange, let handler):
      guard self.isRefused, let failure = self.failure else {
        return handler(request, self.beginAnswer(exchange))
      }
      exchange.keepsAlive = false
      self.loop.routes.refuse(request, self.beginAnswer(exchange), failure.error, handler)
    case .answer(let answer, var exchange):
      if self.isRefused { exchange.keepsAlive = false }
      self.answer(answer, exchange)
    }
  }

  func answer(_ answer: RequestAssembler.Answer, _ exchange: Exchange) {
    let responder = self.beginAnswer(exchange)
    switch answer {
    case .problem(let problem): responder.respond(problem)
    case .options(let allow): responder.respond(.noContent, headers: ["Allow": allow])
    }
  }

  private func beginAnswer(_ exchange: Exchange) -> Responder {
    let responder = Responder(connection: self, exchange: exchange, loop: self.loop)
    self.phase = .answering(responder)
    self.deadline = nil
    return responder
  }
}

@available(*, unavailable)
extension HTTPConnectionHandler: Sendable {}
