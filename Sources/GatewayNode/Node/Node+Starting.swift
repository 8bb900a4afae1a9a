internal import Brokering
internal import Logging
internal import NIOCore
internal import RedisClient
private import Sessions
internal import Telemetry
internal import Transports
internal import Wire

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

  /// Asks the backend that decides, where one is set.
  static func webhook(
    _ settings: NodeSettings,
    _ clock: ClusterClock,
    _ metrics: NodeMetrics,
    on group: any EventLoopGroup,
    log: Logger
  ) -> Webhook? {
    let webhook = Webhook(settings.webhook, node: settings.node, on: group, log: log) { clock.milliseconds() }
    webhook?.metrics.add(to: metrics.registry)
    return webhook
  }

  /// Measures each second; tells the cluster how the node stands with each heartbeat, and while it drains each
  /// second.
  static func measuring(_ meter: NodeMeter, _ status: NodeStatus, on loop: any EventLoop) -> RepeatedTask {
    let seconds = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
    let beats = Int(Node.heartbeat.nanoseconds / Node.measure.nanoseconds)
    return loop.scheduleRepeatedTask(initialDelay: .zero, delay: Node.measure) { _ in
      meter.secondPassed()
      defer { seconds.value += 1 }
      guard seconds.value % beats == 0 || status.standing.state == .draining else { return }
      status.broker.announce(status.report.json)
    }
  }

  /// Carries out a command that another node has sent.
  static func obey(_ command: ByteBuffer, _ conductor: Conductor) async -> ByteBuffer {
    guard let command = NodeCommand(command) else {
      return NodeReply.json(.failure(ClientError(.unavailable, "the node does not know this command")))
    }
    do {
      return NodeReply.json(try await conductor.carryOut(command).get())
    } catch {
      return NodeReply.json(.failure(ClientError(.internal, "\(error)")))
    }
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
