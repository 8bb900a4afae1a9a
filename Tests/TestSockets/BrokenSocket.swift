public import NIOCore

/// Stands for a socket whose other end has reset the connection, which the first flush finds: before it returns it
/// brings all that is left to be read, and then the end, as NIO's channels do.
public final class BrokenSocket: ChannelOutboundHandler {
  public typealias OutboundIn = ByteBuffer

  private let left: ByteBuffer
  private var isBroken = false

  public init(left: ByteBuffer) {
    self.left = left
  }

  public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.ioOnClosedChannel)
  }

  public func flush(context: ChannelHandlerContext) {
    guard !self.isBroken else { return }
    self.isBroken = true
    if self.left.readableBytes > 0 {
      context.fireChannelRead(NIOAny(self.left))
      context.fireChannelReadComplete()
    }
    context.close(promise: nil)
  }
}

@available(*, unavailable)
extension BrokenSocket: Sendable {}
