import NIOConcurrencyHelpers
public import NIOCore
public import NIOPosix
public import RedisClient

/// Stands between a node and its Redis, and can come between them.
public final class CuttableProxy: Sendable {
  private struct State {
    var channels: [any Channel] = []
    var isCut = false
    var isDeaf = false
    var target: RedisAddress
    var delay = TimeAmount.zero
    var instead: String?
  }

  public let address: RedisAddress
  private let listener: any Channel
  private let state: NIOLockedValueBox<State>

  /// - Parameter group: its threads, where it shall be no later than it is meant to be whatever else this process does.
  public init(
    to target: RedisAddress,
    on group: any EventLoopGroup = .singletonMultiThreadedEventLoopGroup
  ) async throws {
    let state = NIOLockedValueBox(State(target: target))
    listener = try await ServerBootstrap(group: group)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { inner in
        guard !state.withLockedValue({ $0.isCut }) else { return inner.close() }
        let target = state.withLockedValue { $0.target }
        return ClientBootstrap(group: inner.eventLoop)
          .connect(host: target.host, port: target.port)
          .flatMapThrowing { outer in
            state.withLockedValue { $0.channels += [inner, outer] }
            let line = ProxyLine()
            let up = ProxyHandler(to: outer, line) { bytes in
              if String(buffer: bytes).contains("SUBSCRIBE") { line.isFeed = true }
              return bytes
            }
            let down = ProxyHandler(to: inner, line) { bytes in
              let state = state.withLockedValue { $0 }
              if line.isFeed { return state.isDeaf ? nil : bytes }
              return state.instead.map { ByteBuffer(string: $0) } ?? bytes
            } delay: {
              line.isFeed ? .zero : state.withLockedValue { $0.delay }
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
  public func cut() {
    let channels = state.withLockedValue { state in
      state.isCut = true
      defer { state.channels = [] }
      return state.channels
    }
    for channel in channels { channel.close(promise: nil) }
  }

  public func mend() {
    state.withLockedValue { $0.isCut = false }
  }

  /// Lets nothing through any more on connections that have subscribed.
  public func deafen(_ isDeaf: Bool) {
    state.withLockedValue { $0.isDeaf = isDeaf }
  }

  /// Connections that come lead elsewhere, as when a name is given to another server.
  public func retarget(to target: RedisAddress) {
    state.withLockedValue { $0.target = target }
  }

  /// How late each answer to a command is.
  public func delay(_ delay: TimeAmount) {
    state.withLockedValue { $0.delay = delay }
  }

  /// Answers this to commands, whatever the server says; nil to let it speak again.
  public func answer(_ text: String?) {
    state.withLockedValue { $0.instead = text }
  }

  public func stop() async throws {
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
  private let passed: (ByteBuffer) -> ByteBuffer?
  private let delay: () -> TimeAmount
  /// When the last that was passed on leaves: nothing overtakes it.
  private var last = NIODeadline.uptimeNanoseconds(0)

  init(
    to target: any Channel,
    _ line: ProxyLine,
    _ passed: @escaping (ByteBuffer) -> ByteBuffer?,
    delay: @escaping () -> TimeAmount = { .zero }
  ) {
    self.target = target
    self.line = line
    self.passed = passed
    self.delay = delay
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let bytes = passed(unwrapInboundIn(data)) else { return }
    last = max(last, .now() + delay())
    guard last > .now() else { return target.writeAndFlush(bytes, promise: nil) }
    target.eventLoop.scheduleTask(deadline: last) { [target] in
      target.writeAndFlush(bytes, promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    target.close(promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
