import ArgumentParser
import Foundation
import GatewayNode

/// The settings as flags. Their values are text here: they are checked together with the environment and the file.
struct SettingsOptions: ParsableArguments {
  @Option(help: "A YAML file of settings. Also SLUICE_CONFIG.", completion: .file())
  var config: String?

  @Option(help: help(.node)) var node: String?
  @Option(help: help(.listen)) var listen: String?
  @Option(help: help(.operatorListen)) var operatorListen: String?
  @Option(help: help(.redis)) var redis: String?
  @Option(help: help(.eventLoops)) var eventLoops: String?
  @Option(help: help(.backlog)) var backlog: String?
  @Option(help: help(.anonymous)) var anonymous: String?
  @Option(help: help(.tokenKeys), completion: .file()) var tokenKeys: String?
  @Option(name: .customLong("token-jwks-url"), help: help(.tokenKeySet)) var tokenKeySet: String?
  @Option(help: help(.tokenAudience)) var tokenAudience: String?
  @Option(help: help(.tokenIssuer)) var tokenIssuer: String?
  @Option(help: help(.tokenLeeway)) var tokenLeeway: String?
  @Option(help: help(.tokenExpiry)) var tokenExpiry: String?
  @Option(help: help(.allowedOrigins)) var allowedOrigins: String?
  @Option(help: help(.tlsCertificate), completion: .file()) var tlsCertificate: String?
  @Option(help: help(.tlsKey), completion: .file()) var tlsKey: String?
  @Option(help: help(.trustedProxies)) var trustedProxies: String?
  @Option(help: help(.operatorKeyFile), completion: .file()) var operatorKeyFile: String?
  @Option(help: help(.drainWindow)) var drainWindow: String?
  @Option(help: help(.settle)) var settle: String?
  @Option(help: help(.acceptRate)) var acceptRate: String?
  @Option(help: help(.acceptBurst)) var acceptBurst: String?
  @Option(help: help(.maxConnectionAge)) var maxConnectionAge: String?
  @Option(help: help(.heartbeat)) var heartbeat: String?
  @Option(help: help(.streamComment)) var streamComment: String?
  @Option(help: help(.slowReaderLimit)) var slowReaderLimit: String?
  @Option(help: help(.transports)) var transports: String?
  @Option(help: help(.pollGather)) var pollGather: String?
  @Option(help: help(.pollInterval)) var pollInterval: String?
  @Option(name: .customLong("poll-interval-max"), help: help(.pollIntervalMaximum))
  var pollIntervalMaximum: String?
  @Option(help: help(.webhook)) var webhook: String?
  @Option(help: help(.webhookDecides)) var webhookDecides: String?
  @Option(help: help(.webhookFailOpen)) var webhookFailOpen: String?
  @Option(help: help(.webhookEvents)) var webhookEvents: String?
  @Option(help: help(.webhookSecretFile)) var webhookSecretFile: String?
  @Option(help: help(.webhookTimeout)) var webhookTimeout: String?
  @Option(help: help(.webhookConnections)) var webhookConnections: String?
  @Option(help: help(.webhookCache)) var webhookCache: String?
  @Option(help: help(.channelsPerConnection)) var channelsPerConnection: String?
  @Option(help: help(.maxConnections)) var maxConnections: String?
  @Option(help: help(.connectionsPerAddress)) var connectionsPerAddress: String?
  @Option(help: help(.connectionsPerUser)) var connectionsPerUser: String?
  @Option(help: help(.idleConnections)) var idleConnections: String?
  @Option(help: help(.headTimeout)) var headTimeout: String?
  @Option(help: help(.bodyTimeout)) var bodyTimeout: String?
  @Option(help: help(.idleTimeout)) var idleTimeout: String?
  @Option(help: help(.headBytes)) var headBytes: String?
  @Option(help: help(.headerCount)) var headerCount: String?
  @Option(help: help(.requestsPerAddress)) var requestsPerAddress: String?
  @Option(help: help(.subscribesPerAddress)) var subscribesPerAddress: String?
  @Option(help: help(.readsPerAddress)) var readsPerAddress: String?
  @Option(help: help(.unverifiedTokensPerAddress)) var unverifiedTokensPerAddress: String?
  @Option(help: help(.messagesPerSecond)) var messagesPerSecond: String?
  @Option(help: help(.publishesPerSecond)) var publishesPerSecond: String?
  @Option(help: help(.bytesPerSecond)) var bytesPerSecond: String?
  @Option(help: help(.subscribesPerSecond)) var subscribesPerSecond: String?
  @Option(help: help(.memoryLimit)) var memoryLimit: String?
  @Option(help: help(.compression)) var compression: String?
  @Option(help: help(.compressAbove)) var compressAbove: String?
  @Option(help: help(.writeBufferLow)) var writeBufferLow: String?
  @Option(help: help(.writeBufferHigh)) var writeBufferHigh: String?
  @Option(help: help(.ringBytes)) var ringBytes: String?
  @Option(help: help(.ringMemory)) var ringMemory: String?
  @Option(help: help(.logFormat)) var logFormat: String?
  @Option(help: help(.logLevel)) var logLevel: String?

  private func text(of key: SettingKey) -> String? {
    switch key {
    case .node: node
    case .listen: listen
    case .operatorListen: operatorListen
    case .redis: redis
    case .eventLoops: eventLoops
    case .backlog: backlog
    case .anonymous: anonymous
    case .tokenKeys: tokenKeys
    case .tokenKeySet: tokenKeySet
    case .tokenAudience: tokenAudience
    case .tokenIssuer: tokenIssuer
    case .tokenLeeway: tokenLeeway
    case .tokenExpiry: tokenExpiry
    case .allowedOrigins: allowedOrigins
    case .tlsCertificate: tlsCertificate
    case .tlsKey: tlsKey
    case .trustedProxies: trustedProxies
    case .operatorKeyFile: operatorKeyFile
    case .drainWindow: drainWindow
    case .settle: settle
    case .acceptRate: acceptRate
    case .acceptBurst: acceptBurst
    case .maxConnectionAge: maxConnectionAge
    case .heartbeat: heartbeat
    case .streamComment: streamComment
    case .slowReaderLimit: slowReaderLimit
    case .transports: transports
    case .pollGather: pollGather
    case .pollInterval: pollInterval
    case .pollIntervalMaximum: pollIntervalMaximum
    case .webhook: webhook
    case .webhookDecides: webhookDecides
    case .webhookFailOpen: webhookFailOpen
    case .webhookEvents: webhookEvents
    case .webhookSecretFile: webhookSecretFile
    case .webhookTimeout: webhookTimeout
    case .webhookConnections: webhookConnections
    case .webhookCache: webhookCache
    case .channelsPerConnection: channelsPerConnection
    case .maxConnections: maxConnections
    case .connectionsPerAddress: connectionsPerAddress
    case .connectionsPerUser: connectionsPerUser
    case .idleConnections: idleConnections
    case .headTimeout: headTimeout
    case .bodyTimeout: bodyTimeout
    case .idleTimeout: idleTimeout
    case .headBytes: headBytes
    case .headerCount: headerCount
    case .requestsPerAddress: requestsPerAddress
    case .subscribesPerAddress: subscribesPerAddress
    case .readsPerAddress: readsPerAddress
    case .unverifiedTokensPerAddress: unverifiedTokensPerAddress
    case .messagesPerSecond: messagesPerSecond
    case .publishesPerSecond: publishesPerSecond
    case .bytesPerSecond: bytesPerSecond
    case .subscribesPerSecond: subscribesPerSecond
    case .memoryLimit: memoryLimit
    case .compression: compression
    case .compressAbove: compressAbove
    case .writeBufferLow: writeBufferLow
    case .writeBufferHigh: writeBufferHigh
    case .ringBytes: ringBytes
    case .ringMemory: ringMemory
    case .logFormat: logFormat
    case .logLevel: logLevel
    }
  }

  /// Flags, environment and file together.
  func load() -> LoadedSettings {
    var flags: [SettingKey: String] = [:]
    for key in SettingKey.allCases { flags[key] = text(of: key) }
    return LoadedSettings(flags: flags, environment: ProcessInfo.processInfo.environment, path: config)
  }

  private static func help(_ key: SettingKey) -> ArgumentHelp {
    ArgumentHelp(
      "\(key.help) Default: \(key.fallback). Also \(key.variable).",
      discussion: "Takes \(key.kind.expectation).",
      valueName: key.kind.valueName
    )
  }
}
