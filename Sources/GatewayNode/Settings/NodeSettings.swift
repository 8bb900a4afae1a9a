public import Logging
public import NIOCore
public import RedisClient
public import Wire

/// Everything that can be set of a node. The values here are the defaults; `SettingKey` documents each.
public struct NodeSettings: Sendable {
  // MARK: Who and where

  /// This node's name in the cluster.
  public var node = HostName.read() ?? HostName.random()
  /// Where clients connect.
  public var listen = ListenAddress(host: "127.0.0.1", port: 8080)
  /// Where backends and operators connect.
  public var operatorListen = ListenAddress(host: "127.0.0.1", port: 9090)
  /// The cluster's Redis; nil for a node alone, in memory. Holds the password.
  public var redis: RedisSettings?
  /// Threads that serve connections.
  public var eventLoops = Cores.usable
  /// Connections that the kernel completes and holds for a listener.
  public var backlog = 4_096

  // MARK: Who may

  /// Whether clients without a token are served; nil for only where `listen` is loopback.
  public var anonymous: AnonymousClients?
  /// From whom `X-Forwarded-For` is believed.
  public var trustedProxies: [AddressRange] = []
  public var operatorKeyFile: String?
  /// What `operatorKeyFile` holds.
  public var operatorKey: String?

  /// The backend that decides, too.
  public var webhook = WebhookSettings()

  // MARK: Leaving

  public var drainWindow = TimeAmount.seconds(30)
  public var settle = TimeAmount.seconds(5)

  // MARK: Coming in

  /// Connections a second that are let in to be held; nil for 1,000 on each event loop.
  public var acceptRate: Int?
  /// How many may come at once; nil for five seconds of the rate.
  public var acceptBurst: Int?
  /// About when a connection is sent away for its age; zero for never.
  public var maxConnectionAge = TimeAmount.zero

  // MARK: Connections

  /// Silence after which a WebSocket is sent a ping; unanswered for as long again, it is closed.
  public var heartbeat = TimeAmount.seconds(25)
  /// Silence after which an event stream is sent a comment.
  public var streamComment = TimeAmount.seconds(15)
  /// How long a reader may take nothing at all before it is closed.
  public var slowReaderLimit = TimeAmount.seconds(60)
  /// Channels that one connection may subscribe, at the most.
  public var channelsPerConnection = 1_000
  /// Bytes waiting for a slow reader at which a connection counts as writable again.
  public var writeBufferLow = 32_768
  /// Bytes waiting for a slow reader at which nothing more is written to it.
  public var writeBufferHigh = 65_536

  /// The ways in which clients are served.
  public var transports = Set(TransportKind.allCases)
  /// How long after its first message a held poll waits for more.
  public var pollGather = TimeAmount.milliseconds(10)
  /// What short polls are told to wait when much happens, and when nothing does.
  public var pollInterval = TimeAmount.seconds(2)
  public var pollIntervalMaximum = TimeAmount.seconds(30)

  // MARK: Channels

  public var namespaces = Namespaces()
  /// The most bytes of one channel's recent messages that an event loop keeps.
  public var ringBytes = 262_144
  /// The most bytes of recent messages that the node keeps.
  public var ringMemory = 134_217_728

  // MARK: Log

  public var logFormat = LogFormat.human
  public var logLevel = Logger.Level.info

  public init() {}

  /// Connections a second that are let in while the node is not busy.
  public var acceptRatePerSecond: Int { acceptRate ?? 1_000 * eventLoops }

  /// How many may come at once.
  public var acceptBurstSize: Int { acceptBurst ?? 5 * acceptRatePerSecond }

  /// Whether a client without a token is served.
  public var servesAnonymous: Bool {
    anonymous.map { $0 == .allow } ?? listen.isLoopback
  }
}

/// Whether clients without a token are served.
public enum AnonymousClients: String, Sendable, CaseIterable {
  case allow, deny
}

/// How log lines are written.
public enum LogFormat: String, Sendable, CaseIterable {
  case human, json
}
