import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import SluiceClient
import Testing

/// A connection over TLS that also keeps what came before it was deciphered.
final class SecureConnection: Sendable {
  private let channel: any Channel
  private let plain: NIOLockedValueBox<ByteBuffer>
  private let wire: NIOLockedValueBox<ByteBuffer>

  /// Trusts every certificate: those of tests sign themselves.
  init(to endpoint: Endpoint, protocols: [String] = []) async throws {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .none
    configuration.applicationProtocols = protocols
    let context = try NIOSSLContext(configuration: configuration)
    let (plain, wire) = (NIOLockedValueBox(ByteBuffer()), NIOLockedValueBox(ByteBuffer()))
    self.plain = plain
    self.wire = wire
    channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandlers([
            Keeper(wire), try NIOSSLClientHandler(context: context, serverHostname: nil), Keeper(plain),
          ])
        }
      }
      .connect(host: endpoint.host, port: endpoint.port).get()
  }

  func send(_ text: String) { channel.writeAndFlush(ByteBuffer(string: text), promise: nil) }

  func send(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

  /// Everything up to now, as far as it is text.
  var text: String { plain.withLockedValue { String(buffer: $0) } }

  func text(with part: String, within limit: Duration = .seconds(20)) async throws -> String {
    try await eventually(
      "\(part.debugDescription) in an answer, which is \(text.debugDescription)",
      within: limit
    ) {
      text.contains(part) ? text : nil
    }
  }

  /// Whether all that came on the wire is whole records of TLS (RFC 8446 section 5.1), but maybe the last.
  var isAllTLS: Bool {
    wire.withLockedValue { bytes in
      var rest = bytes
      while rest.readableBytes >= 5 {
        guard let kind = rest.readInteger(as: UInt8.self), (20...23).contains(kind),
          let major = rest.readInteger(as: UInt8.self), major == 3, rest.readInteger(as: UInt8.self) != nil,
          let length = rest.readInteger(as: UInt16.self), length <= 16_384 + 256
        else { return false }
        guard rest.readSlice(length: Int(length)) != nil else { return true }
      }
      return bytes.readableBytes > 0
    }
  }

  /// Whether a text came in the clear.
  func leaked(_ text: String) -> Bool {
    wire.withLockedValue { String(buffer: $0).contains(text) }
  }

  /// From now on it leaves with the server what it is sent.
  func setReading(_ isReading: Bool) async throws {
    try await channel.setOption(.autoRead, value: isReading).get()
  }

  func close() { channel.close(promise: nil) }

  private final class Keeper: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    private let kept: NIOLockedValueBox<ByteBuffer>

    init(_ kept: NIOLockedValueBox<ByteBuffer>) {
      self.kept = kept
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let bytes = Self.unwrapInboundIn(data)
      kept.withLockedValue { _ = $0.writeImmutableBuffer(bytes) }
      context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
  }
}
