import NIOCore
import NIOPosix

extension Endpoint {
  /// One read takes so much at the most: buffers of idle connections stay small.
  private static let readSize = 4_096
  private static let slowReadSize = 1_024
  #if os(Linux)
    /// IP_BIND_ADDRESS_NO_PORT of ip(7): the port is chosen when the target is known, for which it has to be free.
    private static let bindsNoPort = ChannelOptions.Types.SocketOption(
      level: .ip,
      name: NIOBSDSocket.Option(rawValue: 24)
    )
  #endif

  /// Opens a connection on `loop`, to be called there; `configure` runs there too and adds the handlers.
  func connect(
    on loop: any EventLoop,
    _ configure: @escaping (any Channel) throws -> Void
  ) -> EventLoopFuture<any Channel> {
    let configure = NIOLoopBound(configure, eventLoop: loop)
    let endpoint = self
    let bootstrap = ClientBootstrap(group: loop)
      .connectTimeout(connectTimeout)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelOption(
        .recvAllocator,
        value: FixedSizeRecvByteBufferAllocator(
          capacity: readRate == nil ? Endpoint.readSize : Endpoint.slowReadSize
        )
      )
      .channelOption(.maxMessagesPerRead, value: (readRate == nil ? 4 : 1) as UInt)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let rate = endpoint.readRate {
            try channel.pipeline.syncOperations.addHandler(ReadThrottle(bytesPerSecond: rate))
          }
          try configure.value(channel)
        }
      }
    do {
      let slow =
        readRate == nil
        ? bootstrap : bootstrap.channelOption(ChannelOptions.socketOption(.so_rcvbuf), value: 4_096)
      let bound = try sourceAddress.map { try Endpoint.bind(slow, to: $0) } ?? slow
      // An address needs no resolver, which would take a thread and a turn for each.
      if let address = try? SocketAddress(ipAddress: host, port: port) { return bound.connect(to: address) }
      return bound.connect(host: host, port: port)
    } catch {
      return loop.makeFailedFuture(error)
    }
  }

  private static func bind(_ bootstrap: ClientBootstrap, to source: String) throws -> ClientBootstrap {
    let bound = bootstrap.bind(to: try SocketAddress(ipAddress: source, port: 0))
    #if os(Linux)
      return source.contains(":") ? bound : bound.channelOption(bindsNoPort, value: 1)
    #else
      return bound
    #endif
  }
}

extension Channel {
  /// Reads what comes, or leaves it in the kernel. To be called on its loop.
  func setReading(_ isReading: Bool) {
    try? syncOptions?.setOption(.autoRead, value: isReading)
  }
}
