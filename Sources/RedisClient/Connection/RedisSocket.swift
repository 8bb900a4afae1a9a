import NIOCore

/// Takes what happens on a connection's socket, on its loop.
protocol RedisSocketOwner: AnyObject {
  func socketRead(_ socket: RedisSocket, _ bytes: ByteBuffer)
  /// After the last read for now: several may come between two of these.
  func socketReadAll(_ socket: RedisSocket)
  func socketClosed(_ socket: RedisSocket, because error: (any Error)?)
}

/// The handler of one socket. Tells its owner apart from the handlers of sockets before it.
final class RedisSocket: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private weak var owner: (any RedisSocketOwner)?
  private var failure: (any Error)?

  init(owner: any RedisSocketOwner) {
    self.owner = owner
  }

  /// Whatever happens afterwards is nobody's concern.
  func disown() {
    owner = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    owner?.socketRead(self, unwrapInboundIn(data))
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    owner?.socketReadAll(self)
  }

  func channelInactive(context: ChannelHandlerContext) {
    owner?.socketClosed(self, because: failure)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    failure = error
    context.close(promise: nil)
  }
}

@available(*, unavailable)
extension RedisSocket: Sendable {}
