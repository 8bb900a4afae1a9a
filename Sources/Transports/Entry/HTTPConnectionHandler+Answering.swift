import Framing
import NIOCore
import NIOHTTP1

/// What responders and streams do with their connection.
extension HTTPConnectionHandler {
  /// A body up to this size is copied behind its head, a larger one is written beside it.
  private static let longestCopiedBody = 16 * 1024

  func write(_ head: ResponseHead, body: ByteBuffer) {
    guard let context = self.context else { return }
    let isCopied = body.readableBytes <= Self.longestCopiedBody
    var bytes = context.channel.allocator.buffer(capacity: 256 + (isCopied ? body.readableBytes : 0))
    head.write(date: self.loop.date, into: &bytes)
    if isCopied { bytes.writeImmutableBuffer(body) }
    self.write(bytes)
    if !isCopied { self.write(body) }
  }

  func write(_ bytes: ByteBuffer) {
    guard let context = self.context else { return }
    self.needsFlush = true
    context.write(Self.wrapOutboundOut(bytes), promise: nil)
    if self.loop.isSecured { self.unflushed += bytes.readableBytes }
  }

  func flush() {
    guard let context = self.context else { return }
    self.needsFlush = false
    self.unflushed = 0
    self.hasFlushed = true
    let isInner = self.isFlushing
    self.isFlushing = true
    context.flush()
    self.isFlushing = isInner
  }

  func flushIfNeeded() {
    if self.needsFlush { self.flush() }
  }

  /// The answer is written as a whole.
  func finishedAnswer(keepsAlive: Bool) {
    if keepsAlive, self.loop.keepsAnother() {
      self.phase = .receiving
      self.loop.startedIdling(self)
      self.arm(after: self.loop.limits.idleTimeout)
    } else {
      self.startClosing()
    }
    if !self.isProcessing { self.process() }
  }

  func beganStream(isChunked: Bool, keepsAlive: Bool) -> BodyStream? {
    guard self.context != nil else { return nil }
    let stream = BodyStream(connection: self, isChunked: isChunked, keepsAlive: keepsAlive)
    self.phase = .streaming(stream)
    return stream
  }

  /// Puts `handler` into this handler's place and takes HTTP out of the pipeline, at the latest after the present
  /// read. What the parser has not taken is the handler's.
  func hand(to handler: any ChannelHandler) {
    guard let context = self.context else { return }
    self.phase = .gone
    self.context = nil
    self.loop.unread.left(self)
    self.loop.left(self)
    self.successor = handler
    if self.failure != nil || !self.waiting.isEmpty { self.hasReadTooFar = true }
    self.waiting.removeAll()
    if !self.isReading { self.leavePipeline(context) }
  }

  /// The end of a handover. Never while the parser runs: what it still finds must not reach the successor.
  func leavePipeline(_ context: ChannelHandlerContext) {
    guard let successor = self.successor else { return }
    self.successor = nil
    let channel = context.channel
    let pipeline = context.pipeline.syncOperations
    let rest = self.input
    self.letGoOfParser(context)
    do {
      try pipeline.addHandler(successor, position: .after(self))
    } catch {
      context.close(promise: nil)
      return
    }
    context.flush()
    if rest.readableBytes > 0, !self.hasReadTooFar { context.fireChannelRead(Self.wrapInboundOut(rest)) }
    if self.hasSeenEnd { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
    pipeline.removeHandler(self.loop.collector, promise: nil)
    pipeline.removeHandler(context: context, promise: nil)
    if self.hasReadTooFar { return channel.close(promise: nil) }
    pipeline.fireChannelReadComplete()
    if self.holdsRead { channel.read() }
  }
}
