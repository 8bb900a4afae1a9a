/// The name of a setting: `--name` as a flag, `SLUICE_NAME` in the environment, `name` in the file.
public enum SettingKey: String, CaseIterable, Sendable {
  case node
  case listen
  case operatorListen = "operator-listen"
  case redis
  case eventLoops = "event-loops"
  case backlog
  case anonymous
  case tokenKeys = "token-keys"
  case tokenKeySet = "token-jwks-url"
  case tokenAudience = "token-audience"
  case tokenIssuer = "token-issuer"
  case tokenLeeway = "token-leeway"
  case tokenExpiry = "token-expiry"
  case allowedOrigins = "allowed-origins"
  case tlsCertificate = "tls-certificate"
  case tlsKey = "tls-key"
  case trustedProxies = "trusted-proxies"
  case operatorKeyFile = "operator-key-file"
  case drainWindow = "drain-window"
  case settle
  case acceptRate = "accept-rate"
  case acceptBurst = "accept-burst"
  case maxConnectionAge = "max-connection-age"
  case heartbeat
  case streamComment = "stream-comment"
  case slowReaderLimit = "slow-reader-limit"
  case transports
  case pollGather = "poll-gather"
  case pollInterval = "poll-interval"
  case pollIntervalMaximum = "poll-interval-max"
  case webhook
  case webhookDecides = "webhook-decides"
  case webhookFailOpen = "webhook-fail-open"
  case webhookEvents = "webhook-events"
  case webhookSecretFile = "webhook-secret-file"
  case webhookTimeout = "webhook-timeout"
  case webhookConnections = "webhook-connections"
  case webhookCache = "webhook-cache"
  case channelsPerConnection = "channels-per-connection"
  case maxConnections = "max-connections"
  case connectionsPerAddress = "connections-per-address"
  case connectionsPerUser = "connections-per-user"
  case idleConnections = "idle-connections"
  case headTimeout = "head-timeout"
  case bodyTimeout = "body-timeout"
  case idleTimeout = "idle-timeout"
  case headBytes = "head-bytes"
  case headerCount = "header-count"
  case requestsPerAddress = "requests-per-address"
  case subscribesPerAddress = "subscribes-per-address"
  case readsPerAddress = "reads-per-address"
  case unverifiedTokensPerAddress = "unverified-tokens-per-address"
  case messagesPerSecond = "messages-per-second"
  case publishesPerSecond = "publishes-per-second"
  case bytesPerSecond = "bytes-per-second"
  case subscribesPerSecond = "subscribes-per-second"
  case memoryLimit = "memory-limit"
  case compression
  case compressAbove = "compress-above"
  case writeBufferLow = "write-buffer-low"
  case writeBufferHigh = "write-buffer-high"
  case ringBytes = "ring-bytes"
  case ringMemory = "ring-memory"
  case logFormat = "log-format"
  case logLevel = "log-level"

  public var flag: String { "--\(rawValue)" }

  public var variable: String {
    SettingKey.variablePrefix + rawValue.uppercased().replacing("-", with: "_")
  }

  static let variablePrefix = "SLUICE_"

  /// Whether its value may have a password in it.
  var isURL: Bool { self == .redis || self == .webhook || self == .tokenKeySet }
}
