import Brokering
import Logging
import NIOCore
import NIOPosix
import RedisClient
import TestRedis
import Wire

/// Brokers of several nodes on one Redis.
final class RedisCluster: Sendable {
  let server: RedisServer

  init(_ arguments: [String] = []) async throws {
    server = try await RedisServer(arguments)
  }

  init(_ server: RedisServer) {
    self.server = server
  }

  /// A node's broker, not started.
  func broker(
    _ node: String,
    at address: RedisAddress? = nil,
    _ change: (inout RedisBrokerSettings) -> Void = { _ in }
  ) -> RedisBroker {
    var settings = RedisBrokerSettings(redis: RedisSettings(address: address ?? server.address))
    change(&settings)
    return RedisBroker(
      settings,
      namespaces: BrokerSuite.namespaces,
      incarnation: "\(node)/1",
      on: MultiThreadedEventLoopGroup.singleton.next(),
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
  }

  /// A node that serves, and a port of it.
  func node(
    _ name: String,
    at address: RedisAddress? = nil,
    _ change: (inout RedisBrokerSettings) -> Void = { _ in }
  ) async throws -> (broker: RedisBroker, port: PortProbe) {
    let broker = broker(name, at: address, change)
    try await broker.start()
    return (broker, try await PortProbe.make(broker, on: MultiThreadedEventLoopGroup.singleton.next()))
  }

  /// One command, for looking behind the scenes.
  func command(_ arguments: RedisArgument...) async throws -> RedisValue {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let answer = loop.makePromise(of: RedisValue.self)
    let settings = server.settings
    loop.execute {
      let link = RedisLink(settings, on: loop, logger: Logger(label: "test"))
      link.onState = { state in
        guard state == .ready else { return }
        link.send(arguments) { reply in
          answer.completeWith(reply.mapError { $0 as any Error })
          link.close()
          link.onState = nil
        }
      }
      link.start()
    }
    return try await answer.futureResult.get()
  }
}
