import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SluiceClient
import Testing

/// A proxy that swallows some of what a node sends: whole WebSocket frames, so that what is left is in order.
final class LossyProxy: Sendable {
  let endpoint: Endpoint
  private let channel: any Channel
  private let dropped = NIOLockedValueBox(0)

  /// Frames that it has swallowed.
  var droppedCount: Int { dropped.withLockedValue { $0 } }

  /// - Parameter every: the message frame of a connection that is not passed on, and each multiple of it.
  init(before target: Endpoint, droppingEvery every: Int) async throws {
    let dropped = dropped
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.autoRead, value: false)
      .childChannelInitializer { inbound in
        ClientBootstrap(group: inbound.eventLoop)
          .channelInitializer { outbound in
            outbound.eventLoop.makeCompletedFuture {
              try outbound.pipeline.syncOperations.addHandler(
                FrameDropper(to: inbound, every: every, dropped)
              )
            }
          }
          .connect(host: target.host, port: target.port)
          .flatMap { outbound in
            inbound.eventLoop.makeCompletedFuture {
              try inbound.pipeline.syncOperations.addHandler(Relay(to: outbound))
            }
          }
          .flatMap { inbound.setOption(.autoRead, value: true) }
      }
      .bind(host: "127.0.0.1", port: 0)
      .get()
    let port = try #require(channel.localAddress?.port)
    endpoint = Endpoint(host: "127.0.0.1", port: port)
  }

  func stop() async throws {
    try await channel.close()
  }
}

/// Passes on what comes.
private final class Relay: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel

  init(to other: any Channel) { self.other = other }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    other.writeAndFlush(unwrapInboundIn(data), promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) {
    other.close(promise: nil)
    context.fireChannelInactive()
  }
}

/// Passes on an HTTP answer and the frames after it, but not every frame.
private final class FrameDropper: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let other: any Channel
  private let every: Int
  private let dropped: NIOLockedValueBox<Int>
  private var received = ByteBuffer()
  private var isPastHead = false
  private var count = 0

  init(to other: any Channel, every: Int, _ dropped: NIOLockedValueBox<Int>) {
    self.other = other
    self.every = every
    self.dropped = dropped
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    received.writeBuffer(&bytes)
    if !isPastHead {
      let text = String(buffer: received)
      guard let end = text.range(of: "\r\n\r\n") else { return }
      isPastHead = text.hasPrefix("HTTP/1.1 101")
      let length = isPastHead ? text[..<end.upperBound].utf8.count : received.readableBytes
      if let head = received.readSlice(length: length) { other.writeAndFlush(head, promise: nil) }
    }
    while let length = frameLength, let frame = received.readSlice(length: length) {
      let isMessage = String(buffer: frame).contains(#""type":"message""#)
      if isMessage { count += 1 }
      if isMessage, count.isMultiple(of: every) {
        dropped.withLockedValue { $0 += 1 }
      } else {
        other.writeAndFlush(frame, promise: nil)
      }
    }
  }

  /// Of the frame that stands first, when all of it is there (RFC 6455 section 5.2).
  private var frameLength: Int? {
    let start = received.readerIndex
    guard isPastHead, let short: UInt8 = received.getInteger(at: start + 1) else { return nil }
    var length = 2 + Int(short & 0x7f)
    if short & 0x7f == 126 {
      guard let long: UInt16 = received.getInteger(at: start + 2) else { return nil }
      length = 4 + Int(long)
    } else if short & 0x7f == 127 {
      guard let long: UInt64 = received.getInteger(at: start + 2) else { return nil }
      length = 10 + Int(long)
    }
    return length <= received.readableBytes ? length : nil
  }

  func channelInactive(context: ChannelHandlerContext) {
    other.close(promise: nil)
    context.fireChannelInactive()
  }
}

@available(*, unavailable)
extension Relay: Sendable {}

@available(*, unavailable)
extension FrameDropper: Sendable {}
