public import NIOCore
public import NIOHTTP1
public import SluiceClient

/// What a load test does. Begin with ``LoadScenario/plan`` and change what is to be different.
public struct LoadPlan: Sendable {
  /// How messages are published.
  public enum PublishWay: String, Sendable, CaseIterable {
    /// To the targets, a request each.
    case http
    /// To the targets, over WebSockets of their own.
    case webSocket = "websocket"
    /// To the operator listeners.
    case operatorAPI = "operator"
  }

  public var scenario: LoadScenario
  /// Public listeners of nodes, or what stands before them. Clients are dealt to them in turn and stay with theirs.
  public var targets: [Endpoint] = []
  public var operators: [OperatorPlace] = []
  /// Of every request to the targets.
  public var headers: HTTPHeaders = [:]
  /// Clients.
  public var connections = 1_000
  public var transports = TransportShares([(.webSocket, 1)])
  /// Where clients connect from, dealt in turn; nil chooses: addresses of 127.0.0.0/8 where one has too few ports.
  public var sources: SourceAddresses?
  /// Dials a second.
  public var connectRate = 1_000.0
  /// Before measuring begins, with the same load.
  public var warmUp = TimeAmount.seconds(2)
  /// So long is measured. A `rolling` run takes as long as its restarts do: for it this is the longest.
  public var duration = TimeAmount.seconds(30)
  public var channels = 1
  public var subscribers = SubscriberSpread.even
  /// Publishes a second over all channels in turn.
  public var rate = 0.0
  /// Publishes under way at any time, as fast as they are answered, instead of a rate.
  public var inFlight: Int?
  /// Bytes of a message's `data`.
  public var size = 128
  public var publishOver = PublishWay.http
  /// Connections to publish over.
  public var publishers = 8
  /// The share of clients that reconnects each second; in `presence`, that leaves while another joins.
  public var churn = 0.0
  public var slow: SlowShare?
  /// In `resume`: how long everyone stays away.
  public var away = TimeAmount.seconds(5)
  /// In `presence` and `rolling`: members, and those who hear them come and go.
  public var members = 0
  public var watchers = 0
  /// In `rolling`: run by `/bin/sh`, once a round, in place of the drains.
  public var command: String?
  public var rounds = 1
  /// In `rolling`: over which a node sends its sessions away; as the node is set, when nil.
  public var drainWindow: TimeAmount?
  /// In `rolling`: the command kills, so that only what is delivered counts, not who was away for how long.
  public var isUnplanned = false
  /// After the last publish, for everything to arrive.
  public var settle = TimeAmount.seconds(60)
  /// Chance comes out the same again with the same seed.
  public var seed: UInt64 = 1
  /// Targets need not be on this machine.
  public var ownsTarget = false

  public init(_ scenario: LoadScenario) {
    self.scenario = scenario
  }

  /// Whether anything is published.
  public var publishes: Bool { rate > 0 || (inFlight ?? 0) > 0 }

  /// How long the dials take.
  public var ramp: TimeAmount { .nanoseconds(Int64(Double(connections) / connectRate * 1_000_000_000)) }

  /// Where clients connect from; empty lets the system choose.
  public var sourcesNow: [String] {
    if let sources { return sources.addresses }
    guard !targets.isEmpty, targets.allSatisfy(\.isLoopback4) else { return [] }
    let perTarget = (connections + targets.count - 1) / targets.count
    return SourceAddresses.loopback(for: perTarget).addresses
  }
}

extension Endpoint {
  /// Whether it is this machine for certain.
  public var isLoopback: Bool { isLoopback4 || host == "::1" || host == "localhost" }

  var isLoopback4: Bool { host.hasPrefix("127.") && (try? SocketAddress(ipAddress: host, port: 0)) != nil }
}
