import Admission
import DequeModule
import Framing
public import NIOCore
import NIOHTTP1
import Wire

/// One client's HTTP/1 connection: one request at a time, in order, each answered by its route's handler.
///
/// It reads and writes bytes; nothing is between it and the socket. Behind it stands its loop's collector.
public final class HTTPConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler, TimerWheelRider {
  public typealias InboundIn = ByteBuffer
  public typealias InboundOut = ByteBuffer
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

  private static let unflushedLimit = 64 * 1024

  public var wheelPlace = TimerWheel.Place()
  let loop: EntryLoop
  var phase = Phase.receiving
  var assembler: RequestAssembler
  var waiting = Deque<HTTPServerRequestPart>()
  /// Borrowed while it is inside a request, and what it has not taken yet.
  var parser: HTTPRequestDecoder?
  var input = ByteBuffer()
  /// Bytes that have come since the last head while the parser is inside its body, whatever they are there; less what
  /// came in one read with the head.
  var bodyLength: Int?
  /// The parser has given up, or was given too much; answered once what came before is.
  var failure: ParserFailure?
  var context: ChannelHandlerContext?
  var deadline: NIODeadline?
  /// The client has closed its half of the connection.
  var hasSeenEnd = false
  var isProcessing = false
  var needsFlush = false
  /// TLS takes all it is given, and the channel says that it is full with a flush only: how many bytes wait for that.
  var unflushed = 0
  var holdsRead = false
  /// A head was taken, and the time for its body does not run yet.
  var awaitsBody = false
  /// Whether bytes of a head that is not complete have come.
  var headHasBegun = false
  var sawPart = false
  var isReading = false
  var isFlushing = false
  /// Whether something was flushed in the present read.
  var hasFlushed = false
  /// Whether the parser has found the end of a request last, and what may follow that.
  var isAtEnd = false
  var afterwards = Afterwards.request
  /// What the client still sends is not looked at.
  var isThrough = false
  /// Gets this handler's place when the present read is over.
  var successor: (any ChannelHandler)?
  /// The parser has taken bytes of the successor's protocol for a request, so that has lost its beginning.
  var hasReadTooFar = false
  /// Where the loop keeps it; only the loop changes it.
  var place = -1

  /// Whether it is kept open between two requests.
  var isIdle = false
  /// Why the connection may not stay: the answer to its first request, if that comes soon.
  var refusal: ConnectionRefusal?
  /// What it has published lately.
  var sent = SendingMeter()

  /// - Parameter refusal: why the connection may not stay.
  init(loop: EntryLoop, refusal: ConnectionRefusal? = nil) {
    self.loop = loop
    self.refusal = refusal
    self.assembler = RequestAssembler(limits: loop.limits)
  }

  // MARK: inbound

  public func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    self.loop.opened(self)
    let limits = self.loop.limits
    self.arm(after: self.refusal != nil ? min(limits.refusalTimeout, limits.headTimeout) : limits.headTimeout)
  }

  public func handlerRemoved(context: ChannelHandlerContext) {
    self.leave()
  }

  /// A write that finds the connection broken brings, before it returns, all that is left in the socket, and then its
  /// end. Nobody could be answered any more; and where the write came of a request that the parser is about to hand over,
  /// the parser cannot be given more.
  public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !self.isReading, !self.isFlushing else { return }
    self.hasFlushed = false
    self.read(Self.unwrapInboundIn(data), context)
    self.flushIfNeeded()
  }

  /// A part of a request that the parser has found.
  func take(_ part: HTTPServerRequestPart) {
    guard self.successor == nil else {
      self.hasReadTooFar = true
      return
    }
    self.sawPart = true
    self.headHasBegun = false
    self.isAtEnd = false
    switch part {
    case .head(let head):
      self.afterwards = Afterwards(head)
      self.bodyLength = 0
    case .body: break
    case .end(let trailers):
      self.isAtEnd = true
      self.bodyLength = nil
      if trailers?.isEmpty == false, case .request = self.afterwards { self.afterwards = .nothing }
    }
    switch self.phase {
    case .receiving
    where self.waiting.isEmpty && !self.isProcessing && self.context?.channel.isWritable == true:
      self.isProcessing = true
      self.perform(part)
      self.isProcessing = false
      self.process()
    case .receiving, .answering, .streaming:
      self.waiting.append(part)
      self.process()
    case .flushing, .lingering, .gone:
      break
    }
  }

  public func channelReadComplete(context: ChannelHandlerContext) {
    if !self.sawPart { self.partialHeadArrived() }
    self.sawPart = false
  }

  public func channelWritabilityChanged(context: ChannelHandlerContext) {
    let isWritable = context.channel.isWritable
    self.loop.unread.writabilityChanged(isWritable, of: self)
    if case .streaming(let stream) = self.phase { stream.writabilityChanged(isWritable) }
    if isWritable { self.process() }
  }

  public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .inputClosed? = event as? ChannelEvent else { return }
    self.inputEnded(context)
    self.clientEnded()
  }

  public func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }

  public func channelInactive(context: ChannelHandlerContext) {
    self.leave()
  }

  public func read(context: ChannelHandlerContext) {
    if self.waiting.count > self.loop.limits.waitingParts
      || self.input.readableBytes > self.loop.limits.headLength
    {
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
      self.perform(part)
      if self.waiting.isEmpty { self.waiting = Deque() }
      if self.unflushed >= Self.unflushedLimit { self.flush() }
    }
    if case .receiving = self.phase, self.waiting.isEmpty {
      if let failure = self.failure {
        self.answer(.problem(failure.problem), Exchange())
      } else if self.hasSeenEnd {
        self.startClosing()
      }
    }
    self.isProcessing = false
    if !self.isReading { self.watchBody() }
    // The first answer in a read shows whether the client is still there; the others leave together.
    if !self.isReading || !self.hasFlushed || self.unflushed >= Self.unflushedLimit { self.flushIfNeeded() }
    if self.holdsRead, self.waiting.count <= self.loop.limits.waitingParts {
      self.holdsRead = false
      self.context?.read()
    }
  }

  private func perform(_ part: HTTPServerRequestPart) {
    if case .head = part {
      self.awaitsBody = true
      self.loop.stoppedIdling(self)
    }
    switch self.assembler.take(part, routes: self.loop.routes, peer: self.context?.channel.remoteAddress) {
    case .wait:
      break
    case .allowBody:
      self.write(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n"))
    case .dispatch(let request, var exchange, let handler):
      guard let refusal = self.refusal else { return handler(request, self.beginAnswer(exchange)) }
      exchange.keepsAlive = false
      self.loop.routes.refuse(request, self.beginAnswer(exchange), refusal.error, handler)
    case .answer(let answer, var exchange):
      if self.refusal != nil { exchange.keepsAlive = false }
      self.answer(answer, exchange)
    }
  }

  func answer(_ answer: RequestAssembler.Answer, _ exchange: Exchange) {
    let responder = self.beginAnswer(exchange)
    switch answer {
    case .problem(let problem):
      self.loop.refused.refused(problem)
      responder.respond(problem)
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
