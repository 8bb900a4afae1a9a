import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Testing

/// A client that sends the bytes it is told to, and keeps those that it gets.
final class RawClient: Sendable {
  private let channel: any Channel
  private let state: NIOLockedValueBox<(text: String, hasEnded: Bool)>

  private init(_ channel: any Channel, _ state: NIOLockedValueBox<(text: String, hasEnded: Bool)>) {
    self.channel = channel
    self.state = state
  }

  static func connect(to address: SocketAddress) async throws -> RawClient {
    let state = NIOLockedValueBox((text: "", hasEnded: false))
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(state))
        }
      }
      .connect(to: address).get()
    return RawClient(channel, state)
  }

  /// A WebSocket that is welcome.
  static func socket(to address: SocketAddress, token: String? = nil) async throws -> RawClient {
    let client = try await connect(to: address)
    try await client.askForSocket(token: token)
    try await client.received("\"welcome\"")
    return client
  }

  func askForSocket(token: String? = nil) async throws {
    let bearer = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
    try await send(
      """
      GET /v1/socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
      Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\(bearer)\r\n
      """
    )
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text)).get()
  }

  /// Sends messages of a WebSocket, masked with nothing.
  func say(_ messages: String...) async throws { try await say(messages) }

  func say(_ messages: [String]) async throws {
    var bytes = ByteBuffer()
    for message in messages {
      bytes.writeInteger(UInt8(0x81))
      let count = message.utf8.count
      bytes.writeInteger(UInt8(count < 126 ? 0x80 | count : 0xfe))
      if count >= 126 { bytes.writeInteger(UInt16(count)) }
      bytes.writeInteger(UInt32(0))
      bytes.writeString(message)
    }
    try await channel.writeAndFlush(bytes).get()
  }

  var text: String { state.withLockedValue { $0.text } }
  var hasEnded: Bool { state.withLockedValue { $0.hasEnded } }

  /// All that came, once these texts are in it, one after another.
  @discardableResult
  func received(_ wanted: String..., within limit: TimeAmount = .seconds(20)) async throws -> String {
    let deadline = NIODeadline.now() + limit
    while true {
      let text = text
      var rest = text[...]
      let isThere = wanted.allSatisfy { part in
        guard let range = rest.firstRange(of: part) else { return false }
        rest = rest[range.upperBound...]
        return true
      }
      if isThere { return text }
      try #require(NIODeadline.now() < deadline, "no \(wanted) in \(text)")
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  func close() async throws {
    try? await channel.close().get()
  }
}

private final class Collector: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  private let state: NIOLockedValueBox<(text: String, hasEnded: Bool)>

  init(_ state: NIOLockedValueBox<(text: String, hasEnded: Bool)>) {
    self.state = state
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let text = String(buffer: unwrapInboundIn(data))
    state.withLockedValue { $0.text += text }
  }

  func channelInactive(context: ChannelHandlerContext) {
    state.withLockedValue { $0.hasEnded = true }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    context.close(promise: nil)
  }
}

extension String {
  /// What follows the text, if it is there.
  func components(after part: String) -> Substring? {
    firstRange(of: part).map { self[$0.upperBound...] }
  }
}
