public import NIOCore
internal import NIOHTTP1
private import NIOPosix
internal import RedisClient
private import Wire

extension OperatorClient {
  /// The state of the cluster each second, as `GET /v1/watch` has it, until the connection is lost or the task is
  /// cancelled.
  public func watch() -> AsyncThrowingStream<ByteBuffer, any Error> {
    AsyncThrowingStream { continuation in
      let opening = Task {
        do {
          let channel = try await open(continuation)
          continuation.onTermination = { _ in channel.close(promise: nil) }
        } catch {
          continuation.finish(
            throwing: Failure(description: "\(url) cannot be reached: \(SystemReason.text(of: error))")
          )
        }
      }
      continuation.onTermination = { _ in opening.cancel() }
    }
  }

  private func open(
    _ continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation
  ) async throws -> any Channel {
    let url = url
    let timeout = timeout
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connectTimeout(timeout)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(IdleStateHandler(readTimeout: timeout))
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(ViewReader(url, continuation))
        }
      }
      .connect(host: url.address.host, port: url.address.port)
      .get()
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/v1/watch")
    head.headers.add(name: "Host", value: url.address.description)
    if let key { head.headers.add(name: "Authorization", value: "Bearer \(key)") }
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    return channel
  }
}

/// Takes the data of each event of a stream whose events have one line each.
private final class ViewReader: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart

  private let url: OperatorURL
  private let continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation
  private var status = HTTPResponseStatus.ok
  private var waiting = ByteBuffer()

  init(_ url: OperatorURL, _ continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation) {
    self.url = url
    self.continuation = continuation
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): status = head.status
    case .body(var part):
      waiting.writeBuffer(&part)
      if waiting.readableBytes > OperatorClient.limit { return fail("the answer is too large", context) }
      if status == .ok { readLines() }
    case .end:
      guard status != .ok else { return fail("the node has stopped", context) }
      let detail = (try? JSONObject(waiting))?["detail"]?.string
      fail("it answers \(status.code): \(detail ?? status.reasonPhrase)", context)
    }
  }

  private func readLines() {
    let field = Array("data: ".utf8)
    while let end = waiting.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
      guard var line = waiting.readSlice(length: end - waiting.readerIndex) else { return }
      waiting.moveReaderIndex(forwardBy: 1)
      guard line.readableBytesView.starts(with: field) else { continue }
      line.moveReaderIndex(forwardBy: field.count)
      continuation.yield(ByteBuffer(bytes: line.readableBytesView))
    }
    waiting.discardReadBytes()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is IdleStateHandler.IdleStateEvent { fail("it has fallen silent", context) }
    context.fireUserInboundEventTriggered(event)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    fail(SystemReason.text(of: error), context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail("the connection was lost", context)
    context.fireChannelInactive()
  }

  private func fail(_ reason: String, _ context: ChannelHandlerContext) {
    continuation.finish(throwing: OperatorClient.Failure(description: "\(url): \(reason)"))
    context.close(promise: nil)
  }
}

@available(*, unavailable)
extension ViewReader: Sendable {}
