private import Admission
private import Brokering
private import Logging
private import NIOCore
private import RedisClient
private import Wire

extension SettingKey {
  /// What it does, for a person.
  public var help: String {
    switch self {
    case .node: "This node's name in the cluster."
    case .listen: "Where clients connect. Port 0 takes any free one."
    case .operatorListen:
      "Where backends and operators connect. Beyond loopback it needs an operator key."
    case .redis: "The cluster's Redis. Without it the node runs alone and keeps everything in memory."
    case .eventLoops: "Threads that serve connections."
    case .backlog: "Connections that the kernel completes and holds for a listener."
    case .anonymous: "Whether clients without a token are served."
    case .tokenKeys:
      "Files with the keys of tokens: PEM, JSON Web Keys, or a secret of 32 bytes or more for HS256."
    case .tokenKeySet: "Where a set of JSON Web Keys is to be had, asked for every five minutes."
    case .tokenAudience: "One of these must be the aud of a token."
    case .tokenIssuer: "One of these must be the iss of a token."
    case .tokenLeeway: "How wrong clocks may be when the times of a token are looked at."
    case .tokenExpiry: "Whether a token must have an exp."
    case .allowedOrigins:
      "Pages of which other sites may ask: origins, https://*.example.com for the sites below a domain, or *."
    case .tlsCertificate:
      "A file with the certificate chain, PEM: clients are then served over TLS. Read again when it changes."
    case .tlsKey: "A file with the private key of the certificate, PEM."
    case .trustedProxies: "Proxies whose X-Forwarded-For is believed."
    case .operatorKeyFile:
      "A file with the keys that the operator listener asks for: lines of KEY, or read|act KEY [NAME]."
    case .drainWindow: "The time over which a drain sends its sessions away."
    case .settle: "The time for load balancers to notice a drain before the first session is sent away."
    case .acceptRate:
      "Connections a second that are let in to be held; fewer while the node is busy. Others are told when to come."
    case .acceptBurst: "Connections that may come at once, beyond the rate."
    case .maxConnectionAge:
      "After about this time, within a fifth, a connection is asked to connect anew; 0s for never."
    case .heartbeat: "Silence after which a WebSocket is sent a ping. Stay below the proxy's read timeout."
    case .streamComment: "Silence after which an event stream is sent a comment."
    case .slowReaderLimit: "How long a reader may take nothing at all before it is closed (4008)."
    case .transports: "The ways in which clients are served; what is not named is refused (403)."
    case .pollGather:
      "How long after its first message a held poll waits for more, so that a burst is one answer."
    case .pollInterval: "What short polls are told to wait when much happens (X-Poll-Interval)."
    case .pollIntervalMaximum: "The same when nothing happens, or the node has too much to do."
    case .webhook: "The URL of a backend that decides who may connect, subscribe and publish."
    case .webhookDecides: "What the backend is asked about; none for nothing."
    case .webhookEvents: "What the backend is told of, at least once each."
    case .webhookFailOpen: "What goes on when the backend does not answer; the rest is refused (503)."
    case .webhookSecretFile:
      "A file with the secret that signs what the backend is asked: at least 16 visible characters in one line."
    case .webhookTimeout: "How long the backend's answer may take."
    case .webhookConnections: "Connections to the backend, at the most."
    case .webhookCache: "How long an answer of the backend that says max_age may count; 0s for never."
    case .channelsPerConnection:
      "Channels that one connection may subscribe, at the most; an event stream or poll never more than 100."
    case .maxConnections:
      "Connections that the node has, at the most; more are refused (503). What is left of the open files is for Redis, operators and files, a quarter of it for those who are refused; a limit that leaves less is lowered, with a warning."
    case .connectionsPerAddress:
      "Connections of one IPv4 address, or IPv6 /64, at the most; 0 for no limit."
    case .connectionsPerUser:
      "WebSockets, event streams and held polls of one user in the cluster, at the most (429); 0 for no limit."
    case .idleConnections:
      "HTTP connections kept open between two requests, at the most."
    case .headTimeout:
      "How long a request's head may take to arrive, and a new connection to begin."
    case .bodyTimeout:
      "How long a request's body may take to arrive, or one WebSocket message."
    case .idleTimeout:
      "How long an HTTP connection is kept between two requests. Stay above the proxy's."
    case .headBytes:
      "The header fields of a request, in bytes, at the most (431)."
    case .headerCount:
      "Header fields of a request, at the most (431)."
    case .requestsPerAddress:
      "Requests, polls and connects a second of one address, five seconds' worth at once (429); 0 for no limit."
    case .subscribesPerAddress:
      "New channels a second that one address has an event loop follow, five seconds' worth at once (429); 0 for no limit."
    case .readsPerAddress:
      "Reads a second by one address, five seconds' worth at once: of logs, as history, a page once more for each 64 KiB, or by polls that memory cannot answer, and of who is present (429); 0 for no limit."
    case .unverifiedTokensPerAddress:
      "Tokens a second of one address that no key verifies, five seconds' worth at once; beyond them only those are taken that were verified lately (429). 0 for no limit."
    case .messagesPerSecond:
      "Messages a second of one WebSocket, five seconds' worth at once; 0 for no limit."
    case .publishesPerSecond:
      "Messages a second that one HTTP connection publishes, where it comes directly, five seconds' worth at once (429); 0 for no limit, since backends publish so."
    case .bytesPerSecond:
      "Bytes a second that one WebSocket sends, and that one HTTP connection publishes where publishes-per-second is set, five seconds' worth at once; 0B for no limit."
    case .subscribesPerSecond:
      "Subscribes a second of one WebSocket, five seconds' worth at once; 0 for no limit."
    case .memoryLimit:
      "The memory at which clients are sent away; from nine tenths of it on, new ones are refused (503). A node without Redis holds messages in half of it, and then takes none (503)."
    case .compression: "Whether WebSockets are compressed (permessage-deflate) where the client offers it."
    case .compressAbove: "The smallest message that is compressed, in bytes."
    case .writeBufferLow:
      "Bytes waiting for a slow reader, below which the node writes to it again."
    case .writeBufferHigh: "Bytes waiting for a slow reader, above which the node stops writing to it."
    case .ringBytes: "The most recent messages of one channel that each event loop keeps, in bytes."
    case .ringMemory: "The most recent messages of all channels that the node keeps, in bytes."
    case .logFormat: "How log lines are written, to standard error."
    case .logLevel: "The least important log line that is written."
    }
  }

  /// What values it takes.
  public var kind: SettingKind {
    switch self {
    case .node: .name
    case .listen, .operatorListen: .address
    case .redis: .redisURL
    case .eventLoops: .count(1...1_024)
    case .backlog: .count(1...65_535)
    case .anonymous: .choice(AnonymousClients.allCases.map(\.rawValue))
    case .tokenKeys: .paths
    case .tokenKeySet: .url
    case .tokenAudience, .tokenIssuer: .texts
    case .tokenLeeway: .duration(.zero ... .minutes(10))
    case .tokenExpiry: .choice(TokenExpiry.allCases.map(\.rawValue))
    case .allowedOrigins: .origins
    case .tlsCertificate, .tlsKey: .path
    case .trustedProxies: .addressRanges
    case .operatorKeyFile: .path
    case .drainWindow: .duration(.zero ... .hours(1))
    case .settle: .duration(.zero ... .minutes(10))
    case .acceptRate: .count(1...1_000_000)
    case .acceptBurst: .count(1...10_000_000)
    case .maxConnectionAge: .duration(.zero ... .hours(24 * 365))
    case .heartbeat: .duration(.seconds(1) ... .hours(1))
    case .streamComment: .duration(.seconds(1) ... .hours(1))
    case .slowReaderLimit: .duration(.seconds(1) ... .hours(24))
    case .transports: .list(TransportKind.allCases.map(\.rawValue))
    case .pollGather: .duration(.zero ... .seconds(1))
    case .pollInterval, .pollIntervalMaximum: .duration(.seconds(1) ... .hours(1))
    case .webhook: .backendURL
    case .webhookDecides, .webhookFailOpen: .list(Question.Kind.allCases.map(\.rawValue))
    case .webhookEvents: .list(ClusterEvent.Kind.allCases.map(\.rawValue))
    case .webhookSecretFile: .path
    case .webhookTimeout: .duration(.milliseconds(50) ... .seconds(30))
    case .webhookConnections: .count(1...10_000)
    case .webhookCache: .duration(.zero ... .hours(24))
    case .channelsPerConnection: .count(1...1_000_000)
    case .maxConnections: .count(1...10_000_000)
    case .connectionsPerAddress: .count(0...1_000_000)
    case .connectionsPerUser: .count(0...1_000_000)
    case .idleConnections: .count(0...1_000_000)
    case .headTimeout: .duration(.seconds(1) ... .minutes(10))
    case .bodyTimeout: .duration(.seconds(1) ... .minutes(10))
    case .idleTimeout: .duration(.seconds(1) ... .hours(1))
    case .headBytes: .size(16_384...1_048_576)
    case .headerCount: .count(16...10_000)
    case .requestsPerAddress, .subscribesPerAddress: .count(0...1_000_000)
    case .readsPerAddress, .unverifiedTokensPerAddress: .count(0...1_000_000)
    case .messagesPerSecond, .publishesPerSecond: .count(0...1_000_000)
    case .bytesPerSecond: .size(0...1_073_741_824)
    case .subscribesPerSecond: .count(0...1_000_000)
    case .memoryLimit: .size(16_777_216...1_099_511_627_776)
    case .compression: .choice(CompressionMode.allCases.map(\.rawValue))
    case .compressAbove: .size(64...1_048_576)
    case .writeBufferLow, .writeBufferHigh: .size(1_024...16_777_216)
    case .ringBytes: .size(0...1_073_741_824)
    case .ringMemory: .size(0...1_099_511_627_776)
    case .logFormat: .choice(LogFormat.allCases.map(\.rawValue))
    case .logLevel: .choice(LogLevels.names)
    }
  }

  /// What holds when nothing is set.
  public var fallback: String {
    switch self {
    case .node: "the host's name"
    case .redis: "none: in memory"
    case .eventLoops: "the cores the process may use"
    case .anonymous: "allow where listen is loopback and there are no token keys, else deny"
    case .trustedProxies, .operatorKeyFile, .tokenKeys, .tokenKeySet, .tlsCertificate, .tlsKey: "none"
    case .tokenAudience, .tokenIssuer: "any"
    case .allowedOrigins: "none: the node's own"
    case .webhook, .webhookFailOpen, .webhookEvents, .webhookSecretFile: "none"
    case .acceptRate: "1000 for each event loop"
    case .acceptBurst: "five seconds of accept-rate"
    case .maxConnections: "the open files the process may have, less 256 or half of them"
    case .memoryLimit: "nine tenths of what the process may have"
    default: NodeSettings().text(of: self)
    }
  }
}

extension NodeSettings {
  /// The value of a setting as it is written in a file; secrets are left out.
  public func text(of key: SettingKey) -> String {
    switch key {
    case .node: node
    case .listen: listen.description
    case .operatorListen: operatorListen.description
    case .redis: redis?.description ?? "none: in memory"
    case .eventLoops: "\(eventLoops)"
    case .backlog: "\(backlog)"
    case .anonymous: servesAnonymous ? "allow" : "deny"
    case .tokenKeys: tokenKeyFiles.isEmpty ? "none" : tokenKeyFiles.joined(separator: ",")
    case .tokenKeySet: tokenKeySetURL.map { SettingKind.withoutPassword(ofWebURL: $0) } ?? "none"
    case .tokenAudience: tokenRules.audiences.isEmpty ? "any" : tokenRules.audiences.joined(separator: ",")
    case .tokenIssuer: tokenRules.issuers.isEmpty ? "any" : tokenRules.issuers.joined(separator: ",")
    case .tokenLeeway: DurationText.write(tokenLeeway)
    case .tokenExpiry: tokenExpiry.rawValue
    case .allowedOrigins: allowedOrigins.text
    case .tlsCertificate: tlsCertificate ?? "none"
    case .tlsKey: tlsKey ?? "none"
    case .trustedProxies:
      trustedProxies.isEmpty ? "none" : trustedProxies.map(\.description).joined(separator: ",")
    case .operatorKeyFile: operatorKeyFile ?? "none"
    case .drainWindow: DurationText.write(drainWindow)
    case .settle: DurationText.write(settle)
    case .acceptRate: "\(acceptRatePerSecond)"
    case .acceptBurst: "\(acceptBurstSize)"
    case .maxConnectionAge: DurationText.write(maxConnectionAge)
    case .heartbeat: DurationText.write(heartbeat)
    case .streamComment: DurationText.write(streamComment)
    case .slowReaderLimit: DurationText.write(slowReaderLimit)
    case .transports:
      TransportKind.allCases.filter(transports.contains).map(\.rawValue).joined(separator: ",")
    case .pollGather: DurationText.write(pollGather)
    case .pollInterval: DurationText.write(pollInterval)
    case .pollIntervalMaximum: DurationText.write(pollIntervalMaximum)
    case .webhook: webhook.url.map { SettingKind.withoutPassword(ofWebURL: $0) } ?? "none"
    case .webhookDecides: Question.Kind.text(webhook.decides)
    case .webhookFailOpen: Question.Kind.text(webhook.failsOpen)
    case .webhookEvents:
      webhook.events.isEmpty
        ? "none"
        : ClusterEvent.Kind.allCases.filter(webhook.events.contains).map(\.rawValue).joined(separator: ",")
    case .webhookSecretFile: webhook.secretFile ?? "none"
    case .webhookTimeout: DurationText.write(webhook.timeout)
    case .webhookConnections: "\(webhook.connections)"
    case .webhookCache: DurationText.write(webhook.cache)
    case .channelsPerConnection: "\(channelsPerConnection)"
    case .maxConnections:
      maxConnections.map(String.init) ?? "the open files the process may have, less 256 or half of them"
    case .connectionsPerAddress: "\(connectionsPerAddress)"
    case .connectionsPerUser: "\(connectionsPerUser)"
    case .idleConnections: "\(idleConnections)"
    case .headTimeout: DurationText.write(headTimeout)
    case .bodyTimeout: DurationText.write(bodyTimeout)
    case .idleTimeout: DurationText.write(idleTimeout)
    case .headBytes: SizeText.write(headBytes)
    case .headerCount: "\(headerCount)"
    case .requestsPerAddress: "\(requestsPerAddress)"
    case .subscribesPerAddress: "\(subscribesPerAddress)"
    case .readsPerAddress: "\(readsPerAddress)"
    case .unverifiedTokensPerAddress: "\(unverifiedTokensPerAddress)"
    case .messagesPerSecond: "\(messagesPerSecond)"
    case .publishesPerSecond: "\(publishesPerSecond)"
    case .bytesPerSecond: SizeText.write(bytesPerSecond)
    case .subscribesPerSecond: "\(subscribesPerSecond)"
    case .memoryLimit: memoryLimit.map(SizeText.write) ?? "nine tenths of what the process may have"
    case .compression: compression.rawValue
    case .compressAbove: SizeText.write(compressAbove)
    case .writeBufferLow: SizeText.write(writeBufferLow)
    case .writeBufferHigh: SizeText.write(writeBufferHigh)
    case .ringBytes: SizeText.write(ringBytes)
    case .ringMemory: SizeText.write(ringMemory)
    case .logFormat: logFormat.rawValue
    case .logLevel: logLevel.rawValue
    }
  }
}

extension Question.Kind {
  fileprivate static func text(_ kinds: Set<Question.Kind>) -> String {
    kinds.isEmpty ? "none" : allCases.filter(kinds.contains).map(\.rawValue).joined(separator: ",")
  }
}

extension SettingKey {
  /// Whether a list may be empty, which `none` says.
  var allowsNone: Bool {
    switch self {
    case .webhookDecides, .webhookFailOpen, .webhookEvents: true
    default: false
    }
  }
}
