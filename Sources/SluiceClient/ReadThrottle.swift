import NIOCore

/// Holds reads back so that a connection takes no more than so many bytes per second.
///
/// It stands first in the pipeline: what is not read stays in the kernel, and then with the server.
final class ReadThrottle: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = IOData

  private var bytesPerSecond: Int?
  private var freeAt = NIODeadline.uptimeNanoseconds(0)
  private var isReadPending = false

  init(bytesPerSecond: Int) {
    self.bytesPerSecond = bytesPerSecond
  }

  func read(context: ChannelHandlerContext) {
    let now = NIODeadline.now()
    guard bytesPerSecond != nil, freeAt > now else { return context.read() }
    guard !isReadPending else { return }
    isReadPending = true
    context.eventLoop.assumeIsolated().scheduleTask(deadline: freeAt) { self.readNow(context) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    if let bytesPerSecond {
      let cost = TimeAmount.nanoseconds(
        Int64(Self.unwrapInboundIn(data).readableBytes) * 1_000_000_000 / Int64(bytesPerSecond)
      )
      freeAt = max(freeAt, .now()) + cost
    }
    context.fireChannelRead(data)
  }

  /// Changes the pace; nil lifts it at once.
  func setRate(_ bytesPerSecond: Int?, context: ChannelHandlerContext) {
    self.bytesPerSecond = bytesPerSecond
    if bytesPerSecond == nil { readNow(context) }
  }

  private func readNow(_ context: ChannelHandlerContext) {
    guard isReadPending else { return }
    isReadPending = false
    context.read()
  }
}

extension Channel {
  /// Changes the pace of a connection that was opened with one. To be called on its loop.
  func setReadRate(_ bytesPerSecond: Int?) {
    guard let context = try? pipeline.syncOperations.context(handlerType: ReadThrottle.self),
      let throttle = context.handler as? ReadThrottle
    else { return }
    throttle.setRate(bytesPerSecond, context: context)
  }
}

@available(*, unavailable)
extension ReadThrottle: Sendable {}
