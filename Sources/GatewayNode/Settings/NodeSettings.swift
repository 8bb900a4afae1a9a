public import Admission
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

  /// Whether clients without a token are served; nil for only where `listen` is loopback and there
  /// are no token keys.
  public var anonymous: AnonymousClients?
  /// From whom `X-Forwarded-For` is believed.
  public var trustedProxies: [AddressRange] = []
  public var operatorKeyFile: String?
  /// What `operatorKeyFile` holds.
  public var operatorKeys: [OperatorKey] = []
  public var tokenKeyFiles: [String] = []
  /// What `tokenKeyFiles` hold.
  public var tokenKeys: [TokenKey] = []
  /// Where further keys are to be had.
  public var tokenKeySetURL: String?
  public var tokenAudiences: [String] = []
  public var tokenIssuers: [String] = []
  public var tokenLeeway = TimeAmount.seconds(30)
  public var tokenExpiry = TokenExpiry.required
  /// Pages of which other sites may ask.
  public var allowedOrigins = OriginPolicy()
  /// Clients are served over TLS where both are set.
  public var tlsCertificate: String?
  public var tlsKey: String?

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

  /// Whether WebSockets are compressed where the client offers it.
  public var compression = CompressionMode.off
  /// The smallest message that is compressed, in bytes.
  public var compressAbove = 1_024
  /// The ways in which clients are served.
  public var transports = Set(TransportKind.allCases)
  /// How long after its first message a held poll waits for more.
  public var pollGather = TimeAmount.milliseconds(10)
  /// What short polls are told to wait when much happens, and when nothing does.
  public var pollInterval = TimeAmount.seconds(2)
  public var pollIntervalMaximum = TimeAmount.seconds(30)

  // MARK: Limits

  /// Connections that the node has, at the most; nil for the open files that it may have, less some; see
  /// `DescriptorShares`.
  public var maxConnections: Int?
  /// Connections of one client address, at the most; 0 for no limit.
  public var connectionsPerAddress = 0
  /// WebSockets, event streams and held polls of one user in the cluster, at the most; 0 for no limit.
  public var connectionsPerUser = 0
  /// HTTP connections kept open between two requests, at the most.
  public var idleConnections = 10_000
  /// How long a request's head may take to arrive.
  public var headTimeout = TimeAmount.seconds(10)
  /// How long a request's body, or a WebSocket message, may take to arrive.
  public var bodyTimeout = TimeAmount.seconds(30)
  /// How long an HTTP connection is kept between two requests.
  public var idleTimeout = TimeAmount.seconds(75)
  /// Bytes of all header fields of a request, at the most.
  public var headBytes = 65_536
  /// Header fields of a request, at the most.
  public var headerCount = 128
  /// Requests a second of one client address; 0 for no limit.
  public var requestsPerAddress = 0
  /// Channels a second that one client address has the node follow anew; 0 for no limit.
  public var subscribesPerAddress = 2_000
  /// Logs a second that one client address reads; 0 for no limit.
  public var readsPerAddress = 1_000
  /// Tokens a second of one client address that no key verifies; 0 for no limit.
  public var unverifiedTokensPerAddress = 400
  /// Messages a second of one WebSocket; 0 for no limit.
  public var messagesPerSecond = 1_000
  /// Messages a second that one HTTP connection publishes; 0 is without limit.
  public var publishesPerSecond = 0
  /// Bytes a second that one WebSocket sends; 0 for no limit.
  public var bytesPerSecond = 4_194_304
  /// Subscribes a second of one WebSocket; 0 for no limit.
  public var subscribesPerSecond = 200
  /// The memory at which clients are sent away, in bytes; nil for nine tenths of what the process may have.
  public var memoryLimit: Int?

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

  /// Bytes of memory at which clients are sent away; 0 where it is not known what there is.
  var memoryBound: Int { memoryLimit ?? MemoryLimit.read() / 10 * 9 }

  /// Whether a client without a token is served.
  public var servesAnonymous: Bool {
    anonymous.map { $0 == .allow } ?? (listen.isLoopback && !hasTokenKeys)
  }

  /// Whether tokens can be told true from false.
  public var hasTokenKeys: Bool { !tokenKeyFiles.isEmpty || !tokenKeys.isEmpty || tokenKeySetURL != nil }

  /// What a token must say.
  public var tokenRules: TokenRules {
    var rules = TokenRules()
    rules.audiences = tokenAudiences
    rules.issuers = tokenIssuers
    rules.leeway = tokenLeeway.nanoseconds / 1_000_000
    rules.requiresExpiry = tokenExpiry == .required
    return rules
  }
}

/// Whether clients without a token are served.
public enum AnonymousClients: String, Sendable, CaseIterable {
  case allow, deny
}

/// Whether a token must run out some day.
public enum TokenExpiry: String, Sendable, CaseIterable {
  case required, optional
}

/// Whether WebSockets are compressed.
public enum CompressionMode: String, Sendable, CaseIterable {
  case off, on
}

/// How log lines are written.
public enum LogFormat: String, Sendable, CaseIterable {
  case human, json
}
