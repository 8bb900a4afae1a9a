internal import Brokering
internal import Logging
internal import NIOCore
internal import RedisClient
internal import Telemetry
internal import Transports

extension Node {
  static func broker(
    _ settings: NodeSettings,
    incarnation: String,
    on loop: any EventLoop,
    log: Logger
  ) -> any Broker {
    guard let redis = settings.redis else {
      return MemoryBroker(namespaces: settings.namespaces, incarnation: incarnation)
    }
    return RedisBroker(
      RedisBrokerSettings(redis: redis),
      namespaces: settings.namespaces,
      incarnation: incarnation,
      on: loop,
      logger: log
    )
  }

  /// What an operator wants to read first.
  static func introduce(_ settings: NodeSettings, incarnation: String, _ log: Logger) {
    let redis = settings.redis?.description
    log.notice(
      "sluice \(Version.text) \(redis.map { "joins the cluster at \($0)" } ?? "runs alone, in memory")",
      metadata: [LogKey.incarnation: "\(incarnation)", LogKey.version: "\(Version.text)"]
    )
    if !settings.servesAnonymous {
      log.warning(
        """
        EVERY CLIENT IS REFUSED (401): there are no token keys, and clients without a token are served beyond \
        loopback only with \(SettingKey.anonymous.flag) allow
        """
      )
    }
  }

  static func tell(_ clients: EntryServer, _ operators: EntryServer, _ log: Logger) {
    let clients = ListenAddress(clients.localAddress)
    let operators = ListenAddress(operators.localAddress)
    log.notice("clients connect here", metadata: [LogKey.address: "\(clients)"])
    log.notice("backends and operators connect here", metadata: [LogKey.address: "\(operators)"])
  }
}
