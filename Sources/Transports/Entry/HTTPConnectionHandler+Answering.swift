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
  }

  func flush() {
    guard let context = self.context else { return }
    self.needsFlush = false
    context.flush()
  }

  func flushIfNeeded() {
    if self.needsFlush { self.flush() }
  }

  /// The answer is written as a whole.
  func finishedAnswer(keepsAlive: Bool) {
    if keepsAlive, self.loop.keepsAlive {
      self.phase = .receiving
      self.loop.startedIdling(self)
      self.arm(after: self.loop.limits.idleTimeout)
    } else {
      self.startClosing()
    }
    if !self.isProcessing {
      self.flushIfNeeded()
      self.process()
    }
  }

  func beganStream(isChunked: Bool, keepsAlive: Bool) -> BodyStream? {
    guard self.context != nil else { return nil }
    let stream = BodyStream(connection: self, isChunked: isChunked, keepsAlive: keepsAlive)
    self.phase = .streaming(stream)
    return stream
  }

  /// Puts `handler` into this handler's place and takes HTTP out of the pipeline. The parser leaves after the present
  /// read and then passes on what it has not taken.
  func hand(to handler: any ChannelHandler) {
    guard let context = self.context else { return }
    self.phase = .gone
    self.context = nil
    self.loop.left(self)
    let pipeline = context.pipeline.syncOperations
    do {
      try pipeline.addHandler(handler, position: .after(self))
    } catch {
      context.close(promise: nil)
      return
    }
    context.flush()
    pipeline.removeHandler(context: context, promise: nil)
    let removed = context.eventLoop.makePromise(of: Void.self)
    removed.futureResult.assumeIsolated().whenSuccess {
      pipeline.fireChannelReadComplete()
    }
    if let parser = try? pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self) {
      pipeline.removeHandler(context: parser, promise: removed)
    } else {
      removed.succeed()
    }
    if self.holdsRead { context.channel.read() }
  }
}
