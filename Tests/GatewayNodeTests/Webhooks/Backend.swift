import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import NIOPosix

/// A real HTTP backend that answers as its script says.
final class Backend: Sendable {
  struct Asked: Sendable {
    var head: HTTPRequestHead
    var body: ByteBuffer
  }

  enum Answer: Sendable {
    case json(String, HTTPResponseStatus = .ok)
    /// Nothing for so long, then that.
    case late(TimeAmount, String)
    /// These bytes, and the end of the connection.
    case raw(String)
    case silence
    /// Its head, and then a byte now and then.
    case dripping
  }

  let url: String
  let port: Int
  private let listener: any Channel
  private let everything: NIOLockedValueBox<[Asked]>
  private let open: NIOLockedValueBox<(now: Int, most: Int)>
  private let connections: NIOLockedValueBox<[any Channel]>
  private let script: NIOLockedValueBox<@Sendable (Asked) -> Answer>

  /// While it is set, what is written as soon as a question's head is there, and the connection closed.
  let hasty = NIOLockedValueBox<String?>(nil)

  /// - Parameter port: 0 lets the system choose.
  init(port: Int = 0, _ answer: @escaping @Sendable (Asked) -> Answer) async throws {
    let connections = NIOLockedValueBox<[any Channel]>([])
    let everything = NIOLockedValueBox<[Asked]>([])
    let open = NIOLockedValueBox((now: 0, most: 0))
    let script = NIOLockedValueBox(answer)
    let hasty = hasty
    listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        connections.withLockedValue { $0.append(channel) }
        open.withLockedValue { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        channel.closeFuture.whenComplete { _ in open.withLockedValue { $0.now -= 1 } }
        return channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          let handler = BackendHandler(hasty: { hasty.withLockedValue { $0 } }) { asked in
            everything.withLockedValue { $0.append(asked) }
            return script.withLockedValue { $0 }(asked)
          }
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
      .bind(host: "127.0.0.1", port: port).get()
    self.everything = everything
    self.open = open
    self.script = script
    self.connections = connections
    self.port = listener.localAddress!.port!
    url = "http://127.0.0.1:\(self.port)/decide"
  }

  var asked: [Asked] { everything.withLockedValue { $0 } }
  /// Connections at the same time, at the most.
  var mostConnections: Int { open.withLockedValue { $0.most } }

  func answers(_ answer: @escaping @Sendable (Asked) -> Answer) {
    script.withLockedValue { $0 = answer }
  }

  func stop() async throws {
    try await listener.close().get()
  }

  /// Ends every connection, too.
  func die() async throws {
    try await stop()
    for connection in connections.withLockedValue({ $0 }) { connection.close(promise: nil) }
  }
}

private final class BackendHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  private let hasty: () -> String?
  private let answer: (Backend.Asked) -> Backend.Answer
  private var asked: Backend.Asked?

  init(hasty: @escaping () -> String?, _ answer: @escaping (Backend.Asked) -> Backend.Answer) {
    self.hasty = hasty
    self.answer = answer
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      asked = Backend.Asked(head: head, body: ByteBuffer())
      guard let text = hasty() else { return }
      asked = nil
      BackendHandler.write(raw: text, to: context.channel)
    case .body(let bytes): asked?.body.writeImmutableBuffer(bytes)
    case .end:
      guard let asked else { return }
      self.asked = nil
      let channel = context.channel
      switch answer(asked) {
      case .json(let text, let status): BackendHandler.write(text, status, to: channel)
      case .late(let delay, let text):
        context.eventLoop.scheduleTask(in: delay) { BackendHandler.write(text, .ok, to: channel) }
      case .raw(let text): BackendHandler.write(raw: text, to: channel)
      case .silence: break
      case .dripping:
        BackendHandler.drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", to: channel)
      }
    }
  }

  private static func drip(_ text: String, to channel: any Channel) {
    guard channel.isActive,
      let encoder = try? channel.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
    else { return }
    encoder.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
    channel.eventLoop.scheduleTask(in: .milliseconds(100)) { drip(" ", to: channel) }
  }

  private static func write(raw text: String, to channel: any Channel) {
    // Below the encoder.
    let encoder = try! channel.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
    encoder.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: nil)
    channel.close(promise: nil)
  }

  private static func write(_ text: String, _ status: HTTPResponseStatus, to channel: any Channel) {
    let body = ByteBuffer(string: text)
    let headers: HTTPHeaders = ["Content-Length": "\(body.readableBytes)"]
    channel.write(
      HTTPServerResponsePart.head(.init(version: .http1_1, status: status, headers: headers)),
      promise: nil
    )
    channel.write(HTTPServerResponsePart.body(.byteBuffer(body)), promise: nil)
    channel.writeAndFlush(HTTPServerResponsePart.end(nil), promise: nil)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}
