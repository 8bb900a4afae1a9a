import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import RedisClient

/// A server that answers what its script says: to each read of each connection, some bytes or none.
final class FakeServer: Sendable {
  /// The number of the connection from 1, what was read, and what is answered.
  typealias Script = @Sendable (Int, String) -> String?

  let address: RedisAddress
  private let listener: any Channel
  private let reads: NIOLockedValueBox<[String]>
  private let accepted: NIOLockedValueBox<Int>

  /// `hello` is sent to each connection at once.
  init(hello: String? = nil, _ script: @escaping Script) async throws {
    let reads = NIOLockedValueBox<[String]>([])
    let accepted = NIOLockedValueBox(0)
    listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 20))
      .childChannelInitializer { channel in
        let number = accepted.withLockedValue { count in
          count += 1
          return count
        }
        return channel.eventLoop.makeCompletedFuture {
          let handler = FakeServerHandler(hello: hello) { text in
            reads.withLockedValue { $0.append(text) }
            return script(number, text)
          }
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.reads = reads
    self.accepted = accepted
    address = RedisAddress(host: "127.0.0.1", port: listener.localAddress!.port!)
  }

  var connections: Int { accepted.withLockedValue { $0 } }
  var everythingRead: [String] { reads.withLockedValue { $0 } }

  func stop() async throws {
    try await listener.close().get()
  }
}

private final class FakeServerHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let hello: String?
  private let script: (String) -> String?

  init(hello: String?, script: @escaping (String) -> String?) {
    self.hello = hello
    self.script = script
  }

  func channelActive(context: ChannelHandlerContext) {
    if let hello { context.writeAndFlush(NIOAny(ByteBuffer(string: hello)), promise: nil) }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let answer = script(String(buffer: unwrapInboundIn(data))) else { return }
    context.writeAndFlush(NIOAny(ByteBuffer(string: answer)), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
