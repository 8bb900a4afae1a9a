internal import Admission
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
      let bound = settings.memoryBound
      return MemoryBroker(
        namespaces: settings.namespaces,
        incarnation: incarnation,
        holding: bound > 0 ? bound / 2 : .max
      )
    }
    var broker = RedisBrokerSettings(redis: redis)
    broker.countsUsers = settings.connectionsPerUser > 0
    return RedisBroker(
      broker,
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
  static func measuring(
    _ meter: NodeMeter,
    _ status: NodeStatus,
    _ clients: ClientListener,
    on loop: any EventLoop,
    _ log: Logger
  ) -> RepeatedTask {
    let changes = NIOLoopBoundBox.makeBoxSendingValue(StandingLog(log), eventLoop: loop)
    let seconds = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
    /// The most connections since memory was last given back.
    let most = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: loop)
    let beats = Int(Node.heartbeat.nanoseconds / Node.measure.nanoseconds)
    return loop.scheduleRepeatedTask(initialDelay: .zero, delay: Node.measure) { _ in
      meter.secondPassed()
      let pressure = meter.pressure
      clients.memoryMeasured(pressure)
      changes.value.measured(pressure, status.standing.state == .ready ? status.unreadiness : nil)
      let connections = clients.ledger.count
      most.value = max(most.value, connections)
      // Many have left: what they leave behind is in small pieces.
      if seconds.value % 5 == 0, pressure > .none || most.value - connections >= 200 {
        most.value = connections
        MemoryLimit.giveBack()
      }
      defer { seconds.value += 1 }
      // That it has stopped is told when it has, and not of a node that is made to end at once.
      let state = status.standing.state
      guard state != .stopped, seconds.value % beats == 0 || state == .draining else { return }
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
    warn(settings, log)
    // Who logs errors alone reads this all the same.
    var log = log
    log.logLevel = min(log.logLevel, .warning)
    switch (settings.hasTokenKeys, settings.servesAnonymous) {
    case (true, false): break
    case (true, true):
      log.notice("clients without a token are served too, with what namespaces give to everyone")
    case (false, true):
      log.warning(
        """
        THERE ARE NO TOKEN KEYS: everybody who reaches \(settings.listen) is served, and may do all that namespaces \
        give to everyone; \(SettingKey.tokenKeys.flag) FILE asks for tokens
        """
      )
    case (false, false):
      log.warning(
        """
        EVERY CLIENT IS REFUSED (401): there are no token keys, and clients without a token are served beyond \
        loopback only with \(SettingKey.anonymous.flag) allow
        """
      )
    }
  }

  /// What is served all the same, and should be known.
  static func warn(_ settings: NodeSettings, _ log: Logger) {
    for concern in settings.concerns { log.warning("\(concern)") }
  }

  /// The certificate of the public listener, where it has one.
  static func identity(_ settings: NodeSettings) throws(NodeFailure) -> ServerIdentity? {
    guard let certificate = settings.tlsCertificate, let key = settings.tlsKey else { return nil }
    do {
      return try ServerIdentity(certificate: certificate, key: key)
    } catch {
      throw NodeFailure("the certificate cannot be used: \(error)")
    }
  }

  /// Takes a new certificate soon after its files have changed.
  static func renewing(_ identity: ServerIdentity?, on loop: any EventLoop, _ log: Logger) -> RepeatedTask? {
    guard let identity else { return nil }
    return loop.scheduleRepeatedTask(initialDelay: Node.certificateCheck, delay: Node.certificateCheck) { _ in
      // Files may be slow; the loop does not wait for them.
      Task {
        do {
          if try identity.reload() { log.notice("new connections get the new certificate") }
        } catch {
          log.warning("the new certificate cannot be used", metadata: [LogKey.error: "\(error)"])
        }
      }
    }
  }

  static func tell(_ clients: EntryServer, _ operators: EntryServer, _ log: Logger) {
    let clients = ListenAddress(clients.localAddress)
    let operators = ListenAddress(operators.localAddress)
    log.notice("clients connect here", metadata: [LogKey.address: "\(clients)"])
    log.notice("backends and operators connect here", metadata: [LogKey.address: "\(operators)"])
  }
}
