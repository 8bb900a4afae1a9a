import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RedisClient

/// Stands between a node and its Redis, and can come between them.
final class CuttableProxy: Sendable {
  private struct State {
    var channels: [any Channel] = []
    var isCut = false
    var isDeaf = false
  }

  let address: RedisAddress
  private let listener: any Channel
  private let state: NIOLockedValueBox<State>

  init(to target: RedisAddress) async throws {
    let state = NIOLockedValueBox(State())
    listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { inner in
        guard !state.withLockedValue({ $0.isCut }) else { return inner.close() }
        return ClientBootstrap(group: inner.eventLoop)
          .connect(host: target.host, port: target.port)
          .flatMapThrowing { outer in
            state.withLockedValue { $0.channels += [inner, outer] }
            let line = ProxyLine()
            let up = ProxyHandler(to: outer, line) { bytes in
              if String(buffer: bytes).contains("SUBSCRIBE") { line.isFeed = true }
              return true
            }
            let down = ProxyHandler(to: inner, line) { _ in
              !(line.isFeed && state.withLockedValue { $0.isDeaf })
            }
            try inner.pipeline.syncOperations.addHandler(up)
            try outer.pipeline.syncOperations.addHandler(down)
            inner.setOption(.autoRead, value: true).whenComplete { _ in }
          }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.state = state
    address = RedisAddress(host: "127.0.0.1", port: listener.localAddress!.port!)
  }

  /// Ends every connection and takes no more.
  func cut() {
    let channels = state.withLockedValue { state in
      state.isCut = true
      defer { state.channels = [] }
      return state.channels
    }
    for channel in channels { channel.close(promise: nil) }
  }

  func mend() {
    state.withLockedValue { $0.isCut = false }
  }

  /// Lets nothing through any more on connections that have subscribed.
  func deafen(_ isDeaf: Bool) {
    state.withLockedValue { $0.isDeaf = isDeaf }
  }

  func stop() async throws {
    cut()
    try await listener.close().get()
  }
}

/// One connection through the proxy; both its ends are on one loop.
private final class ProxyLine {
  var isFeed = false
}

private final class ProxyHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let target: any Channel
  private let line: ProxyLine
  private let passes: (ByteBuffer) -> Bool

  init(to target: any Channel, _ line: ProxyLine, _ passes: @escaping (ByteBuffer) -> Bool) {
    self.target = target
    self.line = line
    self.passes = passes
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    if passes(bytes) { target.writeAndFlush(bytes, promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    target.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
