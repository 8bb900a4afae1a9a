private import Admission
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
    case .trustedProxies: "Proxies whose X-Forwarded-For is believed."
    case .operatorKeyFile:
      "A file with the key that the operator listener asks for: at least 16 visible characters in one line."
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
    case .webhookDecides: "What the backend is asked about."
    case .webhookFailOpen: "What goes on when the backend does not answer; the rest is refused (503)."
    case .webhookSecretFile:
      "A file with the secret that signs what the backend is asked: at least 16 visible characters in one line."
    case .webhookTimeout: "How long the backend's answer may take."
    case .webhookConnections: "Connections to the backend, at the most."
    case .webhookCache: "How long an answer of the backend that says max_age may count; 0s for never."
    case .channelsPerConnection: "Channels that one connection may subscribe, at the most."
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
    case .webhook: .url
    case .webhookDecides, .webhookFailOpen: .list(Question.Kind.allCases.map(\.rawValue))
    case .webhookSecretFile: .path
    case .webhookTimeout: .duration(.milliseconds(50) ... .seconds(30))
    case .webhookConnections: .count(1...10_000)
    case .webhookCache: .duration(.zero ... .hours(24))
    case .channelsPerConnection: .count(1...1_000_000)
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
    case .anonymous: "allow where listen is loopback, else deny"
    case .trustedProxies, .operatorKeyFile: "none"
    case .webhook, .webhookFailOpen, .webhookSecretFile: "none"
    case .acceptRate: "1000 for each event loop"
    case .acceptBurst: "five seconds of accept-rate"
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
    case .webhook: webhook.url ?? "none"
    case .webhookDecides: Question.Kind.text(webhook.decides)
    case .webhookFailOpen: Question.Kind.text(webhook.failsOpen)
    case .webhookSecretFile: webhook.secretFile ?? "none"
    case .webhookTimeout: DurationText.write(webhook.timeout)
    case .webhookConnections: "\(webhook.connections)"
    case .webhookCache: DurationText.write(webhook.cache)
    case .channelsPerConnection: "\(channelsPerConnection)"
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
