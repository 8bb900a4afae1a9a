import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// A real HTTP server of a set of keys, that answers as it is told to.
final class KeyPlace: Sendable {
  struct Answer: Sendable {
    var status = HTTPResponseStatus.ok
    var headers: HTTPHeaders = ["Content-Type": "application/jwk-set+json"]
    var body = ""
  }

  private struct State {
    var answer: Answer
    var asked: [String] = []
  }

  let origin: String
  private let listener: any Channel
  private let state: NIOLockedValueBox<State>

  init(_ set: String) async throws {
    let state = NIOLockedValueBox(State(answer: Answer(body: set)))
    listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          let teller = KeyTeller { path in
            state.withLockedValue { state in
              state.asked.append(path)
              return state.answer
            }
          }
          try channel.pipeline.syncOperations.addHandler(teller)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    self.state = state
    origin = "http://127.0.0.1:\(listener.localAddress!.port!)"
  }

  var url: String { "\(origin)/jwks.json" }

  /// The paths that were asked for, in their order.
  var asked: [String] { state.withLockedValue { $0.asked } }

  func answers(_ answer: Answer) { state.withLockedValue { $0.answer = answer } }

  func stop() async throws { try await listener.close() }
}

private final class KeyTeller: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let answer: (String) -> KeyPlace.Answer
  private var path = ""

  init(_ answer: @escaping (String) -> KeyPlace.Answer) {
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): path = head.uri
    case .body: break
    case .end:
      let answer = answer(path)
      let body = ByteBuffer(string: answer.body)
      var headers = answer.headers
      headers.add(name: "Content-Length", value: "\(body.readableBytes)")
      let head = HTTPResponseHead(version: .http1_1, status: answer.status, headers: headers)
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
