import NIOCore
import NIOHTTP1
import Wire

/// From bytes to parts of requests.
extension HTTPConnectionHandler {
  /// What may come after the end of the present request.
  enum Afterwards {
    case request
    case nothing
    /// Bytes that are not the parser's, if the connection is taken over.
    case otherProtocol

    init(_ head: HTTPRequestHead) {
      if head.method == .CONNECT || head.headers.contains(name: "Upgrade") {
        self = .otherProtocol
      } else {
        self = head.isKeepAlive ? .request : .nothing
      }
    }
  }

  /// Gives bytes to the parser, which is kept only while it is inside a request.
  func read(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    guard self.takesParts, self.failure == nil, !self.isThrough else { return }
    // What is another request's is taken off again when that is found in it.
    self.bodyLength? += bytes.readableBytes
    var input = bytes
    if self.input.readableBytes > 0 {
      self.input.writeImmutableBuffer(bytes)
      input = self.input
      self.input = ByteBuffer()
    }
    let isCut = !Self.endsWithEmptyLine(input)
    let parser = self.parser ?? self.loop.parsers.borrow(context)
    self.parser = parser
    self.isAtEnd = false
    let isSound = self.parse(&input) { _ = try parser.decode(context: context, buffer: &$0) }
    self.watchBody()
    // What the parser has not taken is copied, so that the receive buffer is not held for it.
    if input.readableBytes > 0 { self.input = ByteBuffer(bytes: input.readableBytesView) }
    if self.successor != nil {
      if !isSound { self.hasReadTooFar = true }
      return self.leavePipeline(context)
    }
    if case .gone = self.phase { return self.letGoOfParser(context) }
    guard isSound else { return self.letGoOfParser(context) }
    if let length = self.bodyLength, length > self.longestBody {
      self.parserFailed(.bodyTooLong)
      return self.letGoOfParser(context)
    }
    guard self.isAtEnd, !isCut else { return }
    switch self.afterwards {
    case .request:
      self.parser = nil
      self.loop.parsers.giveBack(parser, context)
    case .nothing:
      self.isThrough = true
      self.letGoOfParser(context)
    case .otherProtocol:
      break
    }
  }

  /// The client sends no more: a request that is not complete is none.
  func inputEnded(_ context: ChannelHandlerContext) {
    guard let parser = self.parser, self.takesParts, self.failure == nil, !self.isReading else { return }
    var input = self.input
    _ = self.parse(&input) { _ = try parser.decodeLast(context: context, buffer: &$0, seenEOF: true) }
    self.letGoOfParser(context)
    self.flushIfNeeded()
  }

  func letGoOfParser(_ context: ChannelHandlerContext) {
    self.input = ByteBuffer()
    guard !self.isReading, let parser = self.parser else { return }
    self.parser = nil
    self.loop.parsers.giveAway(parser, context)
  }

  /// Whether what the client sends may still be a request.
  private var takesParts: Bool {
    switch self.phase {
    case .receiving, .answering, .streaming: true
    case .flushing, .lingering, .gone: false
    }
  }

  /// Bytes in which a body may come: each of it in a chunk of its own takes six, and trailers are as long as a head. Of
  /// a request that waits it is not known yet whose it is.
  private var longestBody: Int {
    let limit = self.waiting.isEmpty ? self.assembler.bodyLimit : nil
    return 8 * (limit ?? self.loop.routes.largestBody) + self.loop.limits.headLength
  }

  /// Whether the parser can go on.
  private func parse(_ input: inout ByteBuffer, _ step: (inout ByteBuffer) throws -> Void) -> Bool {
    let outer = self.loop.collector.reader
    self.loop.collector.reader = self
    self.isReading = true
    defer {
      self.loop.collector.reader = outer
      self.isReading = false
    }
    do {
      try step(&input)
      return true
    } catch {
      let headIsWhole = self.loop.collector.headIsWhole
      self.loop.collector.headIsWhole = false
      let limits = self.loop.limits
      self.parserFailed(ParserFailure(error, in: input, headIsWhole: headIsWhole, limits: limits))
      return false
    }
  }

  /// After the end of a request a parser has begun nothing if the bytes end so: what it began would have been a
  /// whole head, or wrong.
  private static func endsWithEmptyLine(_ bytes: ByteBuffer) -> Bool {
    bytes.readableBytes >= 4
      && bytes.getInteger(at: bytes.writerIndex - 4, as: UInt32.self) == 0x0D0A_0D0A
  }
}
