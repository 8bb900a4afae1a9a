public import NIOCore
import NIOPosix
import Wire

/// A listener and the HTTP connections it has accepted, spread over the event loops of its group.
public final class EntryServer: Sendable {
  public struct Settings: Sendable {
    public var host: String
    /// 0 lets the system choose.
    public var port: Int
    public var backlog: Int32 = 4096
    /// Bytes read at once. An idle connection has no buffer.
    public var receiveBufferSize = 1024
    /// Bytes waiting to be sent at which a connection counts as writable again.
    public var lowWaterMark = 32 * 1024
    /// Bytes waiting to be sent over which it counts as not writable.
    public var highWaterMark = 64 * 1024
    /// How long the other end may acknowledge nothing of what was sent to it: then it is taken for gone.
    public var silence = TimeAmount.minutes(2)
    public var limits = HTTPLimits()
    /// Makes the handler that does TLS for one connection; nil to serve in the clear.
    public var secure: (@Sendable () -> any ChannelHandler)?
    /// Where it is counted what the limits refuse.
    public var refused = RefusalMetrics()
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
    /// `TCP_NOTSENT_LOWAT` of `tcp(7)`: how much the system takes beyond what is on its way. Whoever does not read costs
    /// no more than that, where it would take megabytes, and a loop is not held up by copying them.
    private static let tcpNotSentLowWater = NIOBSDSocket.Option(rawValue: 25)
    /// Bytes.
    private static let notSent = 128 << 10
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
        let loop = EntryLoop(
          eventLoop: eventLoop,
          limits: settings.limits,
          isSecured: settings.secure != nil,
          refused: settings.refused
        )
        loop.routes = routes(loop)
        return NIOLoopBound(loop, eventLoop: eventLoop)
      }.get()
    }
    let entries = loops
    let listener = try await Self.listening(settings, on: group)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          guard let loop = entries[ObjectIdentifier(channel.eventLoop)]?.value,
            let options = channel.syncOptions
          else {
            throw ChannelError.operationUnsupported
          }
          try Self.set(options, settings)
          let refusal = try settings.door?.enter(channel)
          if let secure = settings.secure {
            try channel.pipeline.syncOperations.addHandler(secure())
          }
          try Self.configure(channel.pipeline.syncOperations, loop: loop, refusal: refusal)
        }
      }
      .bind(host: settings.host, port: settings.port)
      .get()
    guard let address = listener.localAddress else { throw ChannelError.unknownLocalAddress }
    return EntryServer(listener: listener, loops: Array(entries.values), localAddress: address)
  }

  private static func listening(_ settings: Settings, on group: any EventLoopGroup) -> ServerBootstrap {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: settings.backlog)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    #if os(Linux)
      let silence = Int(settings.silence.nanoseconds / 1_000_000)
      return bootstrap.serverChannelOption(.tcpOption(Self.tcpUserTimeout), value: silence)
        .serverChannelOption(.tcpOption(Self.tcpNotSentLowWater), value: Self.notSent)
    #else
      return bootstrap
    #endif
  }

  /// A bootstrap's own options for children cost each connection a future for each of them. That nothing is held
  /// back to be sent together (TCP_NODELAY), which a bootstrap sets, for how long silence is borne and how much the
  /// system takes are inherited from the listener.
  private static func set(_ options: any NIOSynchronousChannelOptions, _ settings: Settings) throws {
    try options.setOption(.allowRemoteHalfClosure, value: true)
    try options.setOption(.maxMessagesPerRead, value: 1)
    try options.setOption(
      .recvAllocator,
      value: PassingReceiveAllocator(capacity: settings.receiveBufferSize)
    )
    // A channel begins with these.
    if settings.lowWaterMark != 32 * 1024 || settings.highWaterMark != 64 * 1024 {
      try options.setOption(
        .writeBufferWaterMark,
        value: .init(low: settings.lowWaterMark, high: settings.highWaterMark)
      )
    }
  }

  /// The pipeline of one connection: what answers, and what brings it the parser's parts. One that is refused is told
  /// so, and ends.
  static func configure(
    _ pipeline: ChannelPipeline.SynchronousOperations,
    loop: EntryLoop,
    refusal: ClientError? = nil
  ) throws {
    try pipeline.addHandler(HTTPConnectionHandler(loop: loop, refusal: refusal.map(ConnectionRefusal.init)))
    try pipeline.addHandler(loop.collector)
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
