import NIOCore
import NIOHTTP1

/// Writes requests and collects answers.
final class HTTPClientHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  /// Of one answer's body.
  private static let longestBody = 64 << 20

  private weak var connection: HTTPConnection?
  private var context: ChannelHandlerContext?
  private var response: HTTPResponse?
  private var keepsAlive = true

  init(_ connection: HTTPConnection) {
    self.connection = connection
  }

  func channelActive(context: ChannelHandlerContext) {
    self.context = context
    if let connection { connection.opened(self) } else { context.close(promise: nil) }
    context.fireChannelActive()
  }

  func send(_ request: HTTPRequest) {
    guard let context else { return }
    var head = HTTPRequestHead(version: .http1_1, method: request.method, uri: request.path)
    head.headers = request.headers
    context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    if request.body.readableBytes > 0 {
      context.write(Self.wrapOutboundOut(.body(.byteBuffer(request.body))), promise: nil)
    }
    context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
  }

  func close() {
    context?.close(promise: nil)
    context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard self.context != nil else { return }
    switch Self.unwrapInboundIn(data) {
    case .head(let head):
      response = HTTPResponse(status: head.status, headers: head.headers)
      keepsAlive = head.isKeepAlive
    case .body(let bytes):
      guard (response?.body.readableBytes ?? 0) + bytes.readableBytes <= Self.longestBody else {
        return context.close(promise: nil)
      }
      response?.body.writeImmutableBuffer(bytes)
    case .end:
      if let response = response.take() { connection?.answered(response, from: self, keepsAlive: keepsAlive) }
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    if self.context.take() != nil { connection?.ended(self, "the connection ended before the answer") }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if self.context.take() != nil { connection?.ended(self, "\(error)") }
    context.close(promise: nil)
  }
}

@available(*, unavailable)
extension HTTPClientHandler: Sendable {}
