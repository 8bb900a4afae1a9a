import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SluiceClient
import Testing

/// Stands between a node and a Redis, which then takes its time with every answer.
final class LateRedis: Sendable {
  /// A thread of its own, so that what the attackers do in this process makes nothing later than it is meant to be.
  private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  let endpoint: Endpoint
  private let channel: any Channel
  private let lateness: NIOLockedValueBox<TimeAmount>

  init(before target: Endpoint) async throws {
    let lateness = NIOLockedValueBox(TimeAmount.zero)
    self.lateness = lateness
    channel = try await ServerBootstrap(group: LateRedis.group)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { inbound in
        ClientBootstrap(group: inbound.eventLoop)
          .channelInitializer { outbound in
            outbound.eventLoop.makeCompletedFuture {
              try outbound.pipeline.syncOperations.addHandler(LatePassage(to: inbound, lateness))
            }
          }
          .connect(host: target.host, port: target.port)
          .flatMap { outbound in
            inbound.eventLoop.makeCompletedFuture {
              try inbound.pipeline.syncOperations.addHandler(
                LatePassage(to: outbound, NIOLockedValueBox(.zero))
              )
            }
          }
          .flatMap { inbound.setOption(.autoRead, value: true) }
      }
      .bind(host: "127.0.0.1", port: 0)
      .get()
    let port = try #require(channel.localAddress?.port)
    endpoint = Endpoint(host: "127.0.0.1", port: port)
  }

  /// From now on each answer comes so much later than Redis gave it.
  func delay(_ delay: TimeAmount) {
    lateness.withLockedValue { $0 = delay }
  }

  func stop() async throws {
    try await channel.close()
  }
}

/// Passes on what comes, after a while, in its order. Both ends are on one loop.
private final class LatePassage: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel
  private let lateness: NIOLockedValueBox<TimeAmount>
  private var waiting = CircularBuffer<(due: NIODeadline, bytes: ByteBuffer)>()
  private var isWaiting = false

  init(to other: any Channel, _ lateness: NIOLockedValueBox<TimeAmount>) {
    self.other = other
    self.lateness = lateness
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let due = NIODeadline.now() + lateness.withLockedValue { $0 }
    waiting.append((due, unwrapInboundIn(data)))
    pass()
  }

  private func pass() {
    guard !isWaiting else { return }
    while let first = waiting.first, first.due <= .now() {
      other.writeAndFlush(first.bytes, promise: nil)
      _ = waiting.removeFirst()
    }
    guard let next = waiting.first else { return }
    isWaiting = true
    other.eventLoop.assumeIsolated().scheduleTask(deadline: next.due) {
      self.isWaiting = false
      self.pass()
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    other.close(promise: nil)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

@available(*, unavailable)
extension LatePassage: Sendable {}
