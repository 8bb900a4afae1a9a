import NIOCore
import NIOHTTP1

/// Lends parsers to the connections of one loop. A connection between two requests needs none, and most are there
/// most of the time: idle, or with one request that is held.
final class RequestParsers {
  /// Parsers that wait; more than so many are thrown away.
  private static let most = 64

  private let limits: NIOHTTPDecoderLimitConfiguration
  private var waiting: [HTTPRequestDecoder] = []

  init(limits: HTTPLimits) {
    var configuration = NIOHTTPDecoderLimitConfiguration()
    configuration.maxHeaderFieldSize = limits.fieldLength
    configuration.maxHeaderListSize = limits.headLength
    configuration.maxHeaderFieldCount = limits.fieldCount
    self.limits = configuration
  }

  /// A parser that has seen nothing of the present request; to be given back, or away.
  func borrow(_ context: ChannelHandlerContext) -> HTTPRequestDecoder {
    let parser =
      self.waiting.popLast()
      ?? HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: self.limits)
    parser.decoderAdded(context: context)
    return parser
  }

  /// Takes back a parser that stands between two requests of a connection that goes on.
  func giveBack(_ parser: HTTPRequestDecoder, _ context: ChannelHandlerContext) {
    // One that was not removed holds itself, and would outlive its loop.
    self.giveAway(parser, context)
    if self.waiting.count < Self.most { self.waiting.append(parser) }
  }

  /// Lets go of a parser that is inside a request, or through with its connection.
  func giveAway(_ parser: HTTPRequestDecoder, _ context: ChannelHandlerContext) {
    parser.decoderRemoved(context: context)
  }
}

@available(*, unavailable)
extension RequestParsers: Sendable {}

/// Stands behind every connection handler of one loop and brings it what the parser has found in the bytes that it
/// is reading: a parser passes that on to the next handler, and knows no other way.
final class RequestPartCollector: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart

  /// The connection that is reading.
  var reader: HTTPConnectionHandler?
  /// Whether what the parser fails on is a head that is whole.
  var headIsWhole = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    self.reader?.take(Self.unwrapInboundIn(data))
  }

  /// A parser says here that a whole head is of another version, before it throws that.
  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    self.headIsWhole = true
  }
}

@available(*, unavailable)
extension RequestPartCollector: Sendable {}
