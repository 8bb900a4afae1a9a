import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SluiceClient
import Testing

/// A TCP connection without any manners.
final class RawConnection: Sendable {
  let channel: any Channel
  private let received: NIOLockedValueBox<ByteBuffer>
  private let hasEnded: NIOLockedValueBox<Bool>

  /// One that does not read leaves with the server what it is sent.
  /// - Parameter segment: the most bytes of a TCP segment that it takes. The smaller they are, the less does the
  ///   server's system hold for it before anything is acknowledged.
  init(to endpoint: Endpoint, reading: Bool = true, segment: Int? = nil) async throws {
    let received = NIOLockedValueBox(ByteBuffer())
    let hasEnded = NIOLockedValueBox(false)
    self.received = received
    self.hasEnded = hasEnded
    var bootstrap = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelOption(.autoRead, value: reading)
    // TCP_MAXSEG of tcp(7).
    if let segment {
      bootstrap = bootstrap.channelOption(
        .tcpOption(NIOBSDSocket.Option(rawValue: 2)),
        value: numericCast(segment)
      )
    }
    if let address = endpoint.sourceAddress {
      bootstrap = bootstrap.bind(to: try SocketAddress(ipAddress: address, port: 0))
    }
    channel =
      try await bootstrap
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(received, hasEnded))
        }
      }
      .connect(host: endpoint.host, port: endpoint.port).get()
  }

  func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

  func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

  /// Everything up to now.
  var text: String { received.withLockedValue { String(buffer: $0) } }

  var bytes: [UInt8] { received.withLockedValue { Array($0.readableBytesView) } }

  var isEnded: Bool { hasEnded.withLockedValue { $0 } }

  /// Everything, once it contains `part`.
  func text(with part: String, within limit: Duration = .seconds(20)) async throws -> String {
    try await eventually(
      "\(part.debugDescription) in an answer, which is \(text.debugDescription)",
      within: limit
    ) {
      text.contains(part) ? text : nil
    }
  }

  /// Everything, once the server has closed.
  func textToTheEnd(within limit: Duration = .seconds(20)) async throws -> String {
    try await eventually("the server's end of a connection", within: limit) { isEnded ? text : nil }
  }

  func close() { channel.close(promise: nil) }

  /// Ends with a reset, whatever is on its way: what was sent may still lie in the server's socket then.
  func reset() {
    guard let socket = channel as? any SocketOptionProvider else { return close() }
    socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in self.close() }
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let received: NIOLockedValueBox<ByteBuffer>
    private let hasEnded: NIOLockedValueBox<Bool>

    init(_ received: NIOLockedValueBox<ByteBuffer>, _ hasEnded: NIOLockedValueBox<Bool>) {
      self.received = received
      self.hasEnded = hasEnded
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = Self.unwrapInboundIn(data)
      received.withLockedValue { _ = $0.writeImmutableBuffer(bytes) }
    }

    func channelInactive(context: ChannelHandlerContext) { hasEnded.withLockedValue { $0 = true } }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
