import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix
import Wire

/// A real HTTP backend of nodes: it keeps what it was sent, and answers as it is told to.
final class HookBackend: Sendable {
  enum Answer: Sendable {
    /// `200` with that body; `204` without one.
    case json(String?)
    case silence
  }

  let url: String
  private let listener: any Channel
  private let bodies = NIOLockedValueBox<[ByteBuffer]>([])

  init(_ answer: @escaping @Sendable (JSONObject) -> Answer) async throws {
    let bodies = bodies
    listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          let taker = HookTaker { body in
            bodies.withLockedValue { $0.append(body) }
            guard let object = try? JSONObject(body) else { return .json(nil) }
            return answer(object)
          }
          try channel.pipeline.syncOperations.addHandler(taker)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    url = "http://127.0.0.1:\(listener.localAddress!.port!)/hook"
  }

  /// Everything that was sent, in its order.
  var asked: [JSONObject] { bodies.withLockedValue { $0 }.compactMap { try? JSONObject($0) } }

  func stop() async throws { try await listener.close() }
}

private final class HookTaker: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let answer: (ByteBuffer) -> HookBackend.Answer
  private var body = ByteBuffer()

  init(_ answer: @escaping (ByteBuffer) -> HookBackend.Answer) {
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head: body = ByteBuffer()
    case .body(let bytes): body.writeImmutableBuffer(bytes)
    case .end:
      switch answer(body) {
      case .silence: return
      case .json(nil):
        context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .noContent))), promise: nil)
      case .json(let text?):
        let bytes = ByteBuffer(string: text)
        let headers: HTTPHeaders = ["Content-Length": "\(bytes.readableBytes)"]
        context.write(
          wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))),
          promise: nil
        )
        context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
      }
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
