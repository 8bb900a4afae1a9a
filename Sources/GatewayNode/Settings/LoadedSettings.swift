private import Configuration
private import NIOCore

/// What the flags, the environment and the file say together, and what is wrong in them.
public struct LoadedSettings: Sendable {
  public let settings: NodeSettings
  /// Where each setting that is not the default stands.
  public let places: [SettingKey: String]
  /// In the order of the layers; nothing may be started while there is any.
  public let mistakes: [SettingMistake]
  /// The file that was read.
  public let file: String?

  /// Reads `flags` first, then `SLUICE_*` of `environment`, then the YAML file at `path`, which may also stand in
  /// `SLUICE_CONFIG`. Never fails: what is wrong is in `mistakes`.
  public init(flags: [SettingKey: String], environment: [String: String], path: String? = nil) {
    var mistakes: [SettingMistake] = []
    var layers = [
      SettingsLayer(.flags, LoadedSettings.provider(of: flags).snapshot()),
      SettingsLayer(
        .environment,
        EnvironmentVariablesProvider(environmentVariables: environment).snapshot()
      ),
    ]
    let path = path ?? environment["SLUICE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    var file: SettingsFile?
    if let path {
      do {
        let read = try SettingsFile(path: path)
        layers.append(read.layer)
        file = read
      } catch {
        mistakes.append(error)
      }
    }
    mistakes += SettingsNames.mistakes(environment: environment)
    if let file { mistakes += SettingsNames.mistakes(file: file) }

    var reader = SettingsReader(layers)
    var settings = NodeSettings()
    settings.fill(from: &reader, file)
    settings.check(&reader)
    self.settings = settings
    self.file = path
    places = reader.places
    self.mistakes = mistakes + reader.mistakes
  }

  /// The settings, or everything that is wrong with them.
  public func checked() throws(SettingMistakes) -> NodeSettings {
    guard mistakes.isEmpty else { throw SettingMistakes(all: mistakes) }
    return settings
  }

  private static func provider(of flags: [SettingKey: String]) -> InMemoryProvider {
    InMemoryProvider(
      name: "flags",
      values: Dictionary(
        uniqueKeysWithValues: flags.map { key, text in
          (AbsoluteConfigKey([key.rawValue]), ConfigValue(.string(text), isSecret: key == .redis))
        }
      )
    )
  }
}

extension NodeSettings {
  fileprivate mutating func fill(from reader: inout SettingsReader, _ file: SettingsFile?) {
    reader.read(.node, into: &node)
    reader.read(.listen, into: &listen)
    reader.read(.operatorListen, into: &operatorListen)
    reader.read(.redis, into: &redis)
    reader.read(.eventLoops, into: &eventLoops)
    reader.read(.backlog, into: &backlog)
    reader.read(.anonymous, into: &anonymous)
    reader.read(.tokenKeys, into: &tokenKeyFiles)
    reader.read(.tokenKeySet, into: &tokenKeySetURL)
    reader.read(.tokenAudience, into: &tokenAudiences)
    reader.read(.tokenIssuer, into: &tokenIssuers)
    reader.read(.tokenLeeway, into: &tokenLeeway)
    reader.read(.tokenExpiry, into: &tokenExpiry)
    reader.read(.allowedOrigins, into: &allowedOrigins)
    reader.read(.tlsCertificate, into: &tlsCertificate)
    reader.read(.tlsKey, into: &tlsKey)
    reader.read(.trustedProxies, into: &trustedProxies)
    reader.read(.operatorKeyFile, into: &operatorKeyFile)
    reader.read(.drainWindow, into: &drainWindow)
    reader.read(.settle, into: &settle)
    reader.read(.acceptRate, into: &acceptRate)
    reader.read(.acceptBurst, into: &acceptBurst)
    reader.read(.maxConnectionAge, into: &maxConnectionAge)
    reader.read(.heartbeat, into: &heartbeat)
    reader.read(.streamComment, into: &streamComment)
    reader.read(.slowReaderLimit, into: &slowReaderLimit)
    reader.read(.transports, into: &transports)
    reader.read(.pollGather, into: &pollGather)
    reader.read(.pollInterval, into: &pollInterval)
    reader.read(.pollIntervalMaximum, into: &pollIntervalMaximum)
    reader.read(.webhook, into: &webhook.url)
    reader.read(.webhookDecides, into: &webhook.decides)
    reader.read(.webhookFailOpen, into: &webhook.failsOpen)
    reader.read(.webhookEvents, into: &webhook.events)
    reader.read(.webhookSecretFile, into: &webhook.secretFile)
    reader.read(.webhookTimeout, into: &webhook.timeout)
    reader.read(.webhookConnections, into: &webhook.connections)
    reader.read(.webhookCache, into: &webhook.cache)
    reader.read(.channelsPerConnection, into: &channelsPerConnection)
    reader.read(.maxConnections, into: &maxConnections)
    reader.read(.connectionsPerAddress, into: &connectionsPerAddress)
    reader.read(.connectionsPerUser, into: &connectionsPerUser)
    reader.read(.idleConnections, into: &idleConnections)
    reader.read(.headTimeout, into: &headTimeout)
    reader.read(.bodyTimeout, into: &bodyTimeout)
    reader.read(.idleTimeout, into: &idleTimeout)
    reader.read(.headBytes, into: &headBytes)
    reader.read(.headerCount, into: &headerCount)
    reader.read(.requestsPerAddress, into: &requestsPerAddress)
    reader.read(.subscribesPerAddress, into: &subscribesPerAddress)
    reader.read(.readsPerAddress, into: &readsPerAddress)
    reader.read(.unverifiedTokensPerAddress, into: &unverifiedTokensPerAddress)
    reader.read(.messagesPerSecond, into: &messagesPerSecond)
    reader.read(.publishesPerSecond, into: &publishesPerSecond)
    reader.read(.bytesPerSecond, into: &bytesPerSecond)
    reader.read(.subscribesPerSecond, into: &subscribesPerSecond)
    reader.read(.memoryLimit, into: &memoryLimit)
    reader.read(.compression, into: &compression)
    reader.read(.compressAbove, into: &compressAbove)
    reader.read(.writeBufferLow, into: &writeBufferLow)
    reader.read(.writeBufferHigh, into: &writeBufferHigh)
    reader.read(.ringBytes, into: &ringBytes)
    reader.read(.ringMemory, into: &ringMemory)
    reader.read(.logFormat, into: &logFormat)
    reader.read(.logLevel, into: &logLevel)
    if let file { reader.read(file, into: &namespaces) }
  }
}
