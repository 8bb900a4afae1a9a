internal import RedisClient
internal import NIOCore
internal import Transports

extension EntryServer {
  /// Binds what a setting says, or tells why that is not possible.
  static func bind(
    _ address: ListenAddress,
    _ key: SettingKey,
    _ settings: NodeSettings,
    _ door: EntryDoor? = nil,
    refused: RefusalMetrics,
    on group: any EventLoopGroup,
    identity: ServerIdentity? = nil,
    routes: @escaping @Sendable (EntryLoop) -> RouteTable
  ) async throws(NodeFailure) -> EntryServer {
    var entry = EntryServer.Settings(host: address.host, port: address.port)
    entry.backlog = Int32(settings.backlog)
    entry.lowWaterMark = settings.writeBufferLow
    entry.highWaterMark = settings.writeBufferHigh
    if let identity { entry.secure = { identity.handler() } }
    entry.door = door
    entry.refused = refused
    // Who reads too slowly is closed by its own limit, which tells it why, and who is only out of reach for a moment
    // comes back.
    entry.silence = max(.seconds(10), settings.slowReaderLimit + settings.slowReaderLimit)
    entry.limits = HTTPLimits(settings)
    do {
      return try await EntryServer.start(entry, on: group, routes: routes)
    } catch {
      throw NodeFailure("cannot listen on \(address) (\(key.flag)): \(SystemReason.text(of: error))")
    }
  }

  /// Accepts no more, and closes what waits for nothing; answers under way have until `deadline`.
  func close(by deadline: NIODeadline) async {
    try? await stopListening()
    try? await stopKeepingAlive()
    while NIODeadline.now() < deadline, let count = try? await connectionCount(), count > 0 {
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension HTTPLimits {
  /// Of one event loop.
  fileprivate init(_ settings: NodeSettings) {
    self.init()
    headTimeout = settings.headTimeout
    bodyTimeout = settings.bodyTimeout
    idleTimeout = settings.idleTimeout
    headLength = settings.headBytes
    fieldCount = settings.headerCount
    idleConnections = max(1, settings.idleConnections / settings.eventLoops)
    let bound = settings.memoryBound
    unreadBytes = bound > 0 ? max(4 << 20, bound / 8 / settings.eventLoops) : .max
  }
}
