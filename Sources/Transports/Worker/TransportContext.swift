public import Admission
public import Telemetry
public import Wire
public import NIOCore

/// What every connection of a node shares, whichever loop it is on.
public struct TransportContext: Sendable {
  /// The node's name, as `welcome` says it.
  public var node: String
  public var namespaces: Namespaces
  /// Whether clients without a token are served.
  public var servesAnonymous = true
  /// Who reads tokens; nil where there are no keys.
  public var tokens: TokenVerifier?
  /// Pages of which sites may ask.
  public var origins = OriginPolicy()
  /// Whether the ends of connections are events.
  public var notesConnections = false
  /// Who has a word after tokens and namespaces; nil for nobody.
  public var decisions: (any DecisionMaker)?
  /// Whether an address is one of a proxy whose `X-Forwarded-For` is believed.
  public var isTrustedProxy: @Sendable (SocketAddress) -> Bool = { _ in false }
  /// Silence after which a WebSocket is sent a ping, and how long it may then be silent.
  public var heartbeat = TimeAmount.seconds(25)
  /// How often an event stream is sent a comment.
  public var streamComment = TimeAmount.seconds(15)
  /// How long a member stays present without a connection.
  public var presenceGrace = TimeAmount.seconds(3)
  /// How long a reader may take nothing at all before it is closed.
  public var slowReaderLimit = TimeAmount.seconds(60)
  /// The ways in which clients are served.
  public var transports = Set(TransportKind.allCases)
  /// How long after its first message a held poll waits for more.
  public var pollGather = TimeAmount.milliseconds(10)
  /// Between two short polls, when much happens.
  public var pollInterval = TimeAmount.seconds(2)
  /// The same when nothing happens, or the node has too much to do.
  public var pollIntervalMaximum = TimeAmount.seconds(30)
  /// Channels of one connection, at the most.
  public var channelsPerConnection = 1_000
  /// Who may come in now; nil for everybody at once.
  public var gate: AcceptGate?
  /// After about this time a connection is sent away, each after its own: within a fifth more or less. Nil for never.
  public var maximumConnectionAge: TimeAmount?
  /// How much one WebSocket may send.
  public var sending = SendingLimits()
  /// What one HTTP connection may publish.
  public var publishing = SendingLimits()
  /// How long one message may take to arrive.
  public var messageWithin = TimeAmount.seconds(30)
  /// WebSockets, event streams and held polls of one user in the cluster, at the most; 0 is without limit.
  public var connectionsPerUser = 0
  /// Whether WebSockets may agree to compress.
  public var compresses = false
  /// Where the connections of each client's address are counted; nil where they are not.
  public var ledger: ConnectionLedger?
  /// How many requests each address makes; nil without limit.
  public var requests: AddressRates?
  /// How many channels each address has the node follow anew; nil without limit.
  public var follows: AddressRates?
  /// How many logs each address reads; nil without limit.
  public var reads: AddressRates?
  /// How many tokens each address shows that no key verifies; nil without limit.
  public var unverifiedTokens: AddressRates?
  public let metrics: TransportMetrics
  let holders = HolderSource()

  public init(node: String, namespaces: Namespaces, metrics: TransportMetrics = TransportMetrics()) {
    self.node = node
    self.namespaces = namespaces
    self.metrics = metrics
  }

  /// The largest `data` that some namespace takes, in bytes.
  var largestMessage: Int {
    namespaces.named.values.reduce(namespaces.fallback.maxMessageBytes) { max($0, $1.maxMessageBytes) }
  }
}

/// What all workers of a node count together.
public final class TransportMetrics: Sendable {
  public let webSockets = Gauge()
  public let eventStreams = Gauge()
  /// Long polls that are held.
  public let polls = Gauge()
  /// Answers to long and to short polls, and those among the latter that said only that nothing is new.
  public let longPollAnswers = Counter()
  public let shortPollAnswers = Counter()
  public let unchangedPolls = Counter()
  public let publishes = Counter()
  /// Publishes that were answered with an error of the log.
  public let failedPublishes = Counter()
  /// Sessions told to go elsewhere.
  public let goodbyes = Counter()
  /// Sessions that had to be closed at the end of a drain.
  public let forced = Counter()
  /// Sent to another node, because this one drains.
  public let refused = Counter()
  /// Refused for a limit.
  public let over = RefusalMetrics()
  /// Held connections that were let in.
  public let connects = Counter()
  /// Those that were told to come back, because too many came at once.
  public let overloaded = Counter()
  /// Connections sent away because of their age.
  public let aged = Counter()
  public let tooSlow = Counter()
  /// Tokens that opened nothing, and connections whose token ran out.
  public let refusedTokens = Counter()
  public let expiredTokens = Counter()
  /// Connections closed or sent away because memory ran out.
  public let shed = Counter()

  public init() {}
}
