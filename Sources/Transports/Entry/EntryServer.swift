public import NIOCore
import NIOHTTP1
import NIOPosix
import Wire

/// A listener and the HTTP connections it has accepted, spread over the event loops of its group.
public final class EntryServer: Sendable {
  public struct Settings: Sendable {
    public var host: String
    /// 0 lets the system choose.
    public var port: Int
    public var backlog: Int32 = 4096
    /// Bytes read at once. Small, because an idle connection keeps its buffer.
    public var receiveBufferSize = 1024
    /// Bytes waiting to be sent at which a connection counts as writable again.
    public var lowWaterMark = 32 * 1024
    /// Bytes waiting to be sent over which it counts as not writable.
    public var highWaterMark = 64 * 1024
    /// How long the other end may acknowledge nothing of what was sent to it: then it is taken for gone.
    public var silence = TimeAmount.minutes(2)
    public var limits = HTTPLimits()
    /// Who may come in at all; nil for everybody.
    public var door: EntryDoor?

    public init(host: String, port: Int) {
      self.host = host
      self.port = port
    }
  }

  #if os(Linux)
    /// `TCP_USER_TIMEOUT` of `tcp(7)`: it ends half-open connections that something waits to be sent to.
    private static let tcpUserTimeout = NIOBSDSocket.Option(rawValue: 18)
  #endif

  private let listener: any Channel
  private let loops: [NIOLoopBound<EntryLoop>]
  public let localAddress: SocketAddress

  private init(listener: any Channel, loops: [NIOLoopBound<EntryLoop>], localAddress: SocketAddress) {
    self.listener = listener
    self.loops = loops
    self.localAddress = localAddress
  }

  /// Binds and serves until it is stopped.
  /// - Parameter routes: called once on each event loop, for what is answered there.
  /// - Throws: when the address cannot be bound.
  public static func start(
    _ settings: Settings,
    on group: any EventLoopGroup,
    routes: @escaping @Sendable (EntryLoop) -> RouteTable
  ) async throws -> EntryServer {
    var loops: [ObjectIdentifier: NIOLoopBound<EntryLoop>] = [:]
    for eventLoop in group.makeIterator() {
      loops[ObjectIdentifier(eventLoop)] = try await eventLoop.submit {
        let loop = EntryLoop(eventLoop: eventLoop, limits: settings.limits)
        loop.routes = routes(loop)
        return NIOLoopBound(loop, eventLoop: eventLoop)
      }.get()
    }
    let entries = loops
    var bootstrap = ServerBootstrap(group: group)
    #if os(Linux)
      let silence = Int(settings.silence.nanoseconds / 1_000_000)
      bootstrap = bootstrap.childChannelOption(.tcpOption(Self.tcpUserTimeout), value: silence)
    #endif
    let listener =
      try await bootstrap
      .serverChannelOption(.backlog, value: settings.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelOption(.maxMessagesPerRead, value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelOption(
        .recvAllocator,
        value: FixedSizeRecvByteBufferAllocator(capacity: settings.receiveBufferSize)
      )
      .childChannelOption(
        .writeBufferWaterMark,
        value: .init(low: settings.lowWaterMark, high: settings.highWaterMark)
      )
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let loop = entries[ObjectIdentifier(channel.eventLoop)]?.value else {
            throw ChannelError.operationUnsupported
          }
          let refusal = try settings.door?.enter(channel)
          try Self.configure(channel.pipeline.syncOperations, loop: loop, refusal: refusal)
        }
      }
      .bind(host: settings.host, port: settings.port)
      .get()
    guard let address = listener.localAddress else { throw ChannelError.unknownLocalAddress }
    return EntryServer(listener: listener, loops: Array(entries.values), localAddress: address)
  }

  /// The pipeline of one connection: the parser, and what answers. One that is refused is told so, and ends.
  static func configure(
    _ pipeline: ChannelPipeline.SynchronousOperations,
    loop: EntryLoop,
    refusal: ClientError? = nil
  ) throws {
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = loop.limits.fieldLength
    limits.maxHeaderListSize = loop.limits.headLength
    limits.maxHeaderFieldCount = loop.limits.fieldCount
    let parser = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
    try pipeline.addHandler(ByteToMessageHandler(parser))
    try pipeline.addHandler(HTTPConnectionHandler(loop: loop, refusal: refusal))
  }

  /// Accepts no more. Connections go on.
  public func stopListening() async throws {
    try await self.listener.close().get()
  }

  /// Every answer from now on is the last of its connection, and idle connections close. Connections that were
  /// taken over are not touched.
  public func stopKeepingAlive() async throws {
    for loop in self.loops {
      try await loop.eventLoop.submit { loop.value.stopKeepingAlive() }.get()
    }
  }

  /// What it answers.
  public func patterns() async throws -> [RouteTable.Pattern] {
    guard let loop = self.loops.first else { return [] }
    return try await loop.eventLoop.submit { loop.value.routes.patterns }.get()
  }

  /// Connections that still speak HTTP.
  public func connectionCount() async throws -> Int {
    var count = 0
    for loop in self.loops {
      count += try await loop.eventLoop.submit { loop.value.connectionCount }.get()
    }
    return count
  }
}
