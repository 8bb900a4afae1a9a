import NIOCore
import NIOPosix

/// A TCP client that sends what it is told and remembers what it got.
final class RawClient: Sendable {
  enum Failure: Error {
    case timedOut(received: String)
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    var received = ByteBuffer()
    var hasEnded = false
    var changed: (() -> Void)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      self.received.writeImmutableBuffer(Self.unwrapInboundIn(data))
      self.changed?()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      if case .inputClosed? = event as? ChannelEvent { self.end() }
    }

    func channelInactive(context: ChannelHandlerContext) { self.end() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func end() {
      self.hasEnded = true
      self.changed?()
    }
  }

  let channel: any Channel
  private let collector: NIOLoopBound<Collector>

  private init(channel: any Channel, collector: NIOLoopBound<Collector>) {
    self.channel = channel
    self.collector = collector
  }

  static func connect(to address: SocketAddress, autoRead: Bool = true) async throws -> RawClient {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.autoRead, value: autoRead)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector())
        }
      }
      .connect(to: address).get()
    let collector = try await channel.eventLoop.submit {
      let collector = try channel.pipeline.syncOperations.handler(type: Collector.self)
      return NIOLoopBound(collector, eventLoop: channel.eventLoop)
    }.get()
    return RawClient(channel: channel, collector: collector)
  }

  /// Sends without waiting for the peer to take it.
  func post(_ bytes: ByteBuffer) { self.channel.writeAndFlush(bytes, promise: nil) }

  func send(_ bytes: ByteBuffer) async throws { try await self.channel.writeAndFlush(bytes).get() }

  func send(_ text: String) async throws { try await self.send(ByteBuffer(string: text)) }

  /// Closes the sending half.
  func end() async throws { try await self.channel.close(mode: .output).get() }

  func close() async throws { try await self.channel.close().get() }

  func startReading() async throws { try await self.channel.setOption(.autoRead, value: true).get() }

  /// Everything received so far, once `isEnough` says so of it.
  func received(
    within limit: TimeAmount = .seconds(10),
    until isEnough: @escaping @Sendable (ByteBuffer, _ hasEnded: Bool) -> Bool
  ) async throws -> ByteBuffer {
    let eventLoop = self.channel.eventLoop
    return try await eventLoop.flatSubmit {
      let collector = self.collector.value
      let promise = eventLoop.makePromise(of: ByteBuffer.self)
      let bound = self.collector
      let timeout = eventLoop.scheduleTask(in: limit) {
        bound.value.changed = nil
        promise.fail(Failure.timedOut(received: String(buffer: bound.value.received)))
      }
      let check = {
        guard isEnough(collector.received, collector.hasEnded) else { return }
        collector.changed = nil
        timeout.cancel()
        promise.succeed(collector.received)
      }
      collector.changed = check
      check()
      return promise.futureResult
    }.get()
  }

  /// Everything received until the peer has closed its half.
  func receivedToTheEnd(within limit: TimeAmount = .seconds(10)) async throws -> ByteBuffer {
    try await self.received(within: limit) { _, hasEnded in hasEnded }
  }
}
