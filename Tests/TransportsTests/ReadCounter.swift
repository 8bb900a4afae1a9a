import NIOCore

/// Counts what asks the channel to read.
final class ReadCounter: ChannelOutboundHandler {
  typealias OutboundIn = ByteBuffer
  var reads = 0

  func read(context: ChannelHandlerContext) {
    self.reads += 1
    context.read()
  }
}
