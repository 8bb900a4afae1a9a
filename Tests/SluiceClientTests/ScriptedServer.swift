import Framing
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import SluiceClient
import Testing

/// A server that says, byte by byte, what a test tells it to.
final class ScriptedServer: Sendable {
  private let channel: any Channel
  private let peers: Inbox<Peer>

  let endpoint: Endpoint

  private init(_ channel: any Channel, _ peers: Inbox<Peer>) {
    self.channel = channel
    self.peers = peers
    endpoint = Endpoint(host: "127.0.0.1", port: channel.localAddress!.port!)
  }

  static func run(_ body: (ScriptedServer) async throws -> Void) async throws {
    let peers = Inbox<Peer>()
    let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let peer = Peer(channel)
          try channel.pipeline.syncOperations.addHandler(Listener(peer))
          peers.append(peer)
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let server = ScriptedServer(channel, peers)
    do {
      try await body(server)
      try? await server.stop()
    } catch {
      try? await server.stop()
      throw error
    }
  }

  /// The connection with this number, counted from 0, as soon as it is there.
  func peer(_ index: Int) async throws -> Peer {
    try await eventually("connection \(index)") { peers.all.dropFirst(index).first }
  }

  var peerCount: Int { peers.all.count }

  /// Closes the listener and every connection.
  func stop() async throws {
    for peer in peers.all { peer.close() }
    try await channel.close().get()
  }

  /// One connection, from the server's side.
  final class Peer: Sendable {
    private let channel: any Channel
    private let received = NIOLockedValueBox(ByteBuffer())
    private let hasEnded = NIOLockedValueBox(false)
    private let decoder = NIOLockedValueBox(WebSocketDecoder(role: .server, maximumMessageSize: 1 << 20))

    fileprivate init(_ channel: any Channel) {
      self.channel = channel
    }

    fileprivate func took(_ bytes: ByteBuffer) {
      received.withLockedValue { _ = $0.writeImmutableBuffer(bytes) }
    }

    fileprivate func ended() { hasEnded.withLockedValue { $0 = true } }

    var isEnded: Bool { hasEnded.withLockedValue { $0 } }

    /// Whether the client takes less than it is sent.
    var isStuck: Bool { !channel.isWritable }

    /// What came up to and with `end`, as soon as it is there.
    func text(to end: String) async throws -> String {
      try await eventually("\(end.debugDescription) from the client") {
        self.received.withLockedValue { received in
          let text = String(buffer: received)
          guard let found = text.utf8.firstRange(of: Array(end.utf8)) else { return nil }
          let head = String(text[..<found.upperBound])
          received.moveReaderIndex(forwardBy: head.utf8.count)
          return head
        }
      }
    }

    func say(_ text: String) {
      say(ByteBuffer(string: text))
    }

    func say(_ bytes: ByteBuffer) {
      channel.writeAndFlush(bytes, promise: nil)
    }

    func close() {
      channel.close(promise: nil)
    }

    /// Answers an upgrade and gives back its request.
    func acceptWebSocket(headers: String = "") async throws -> String {
      let request = try await text(to: "\r\n\r\n")
      let key = request.split(separator: "\r\n").first { $0.hasPrefix("Sec-WebSocket-Key: ") }!.dropFirst(19)
      say(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\(headers)"
          + "Sec-WebSocket-Accept: \(WebSocketHandshake.acceptKey(for: key))\r\n\r\n"
      )
      return request
    }

    /// The next frame of a client, control frames included.
    func frame() async throws -> WebSocketDecoder.Event {
      try await eventually("a frame from the client") {
        let bytes = self.received.withLockedValue { received in
          defer { received.clear() }
          return received
        }
        return try self.decoder.withLockedValue { decoder throws(WebSocketViolation) in
          if bytes.readableBytes > 0 { decoder.append(bytes) }
          return try decoder.next()
        }
      }
    }

    func sayText(_ text: String) {
      var frame = ByteBuffer()
      WebSocketFrame.write(text: text, into: &frame)
      say(frame)
    }
  }

  private final class Listener: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let peer: Peer

    init(_ peer: Peer) { self.peer = peer }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      peer.took(Self.unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) { peer.ended() }
  }
}
