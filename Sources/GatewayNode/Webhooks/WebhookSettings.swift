public import Admission
public import Brokering
public import NIOCore

/// The backend that is asked, and how.
public struct WebhookSettings: Sendable, Equatable {
  /// An `http` or `https` URL; nil where nobody is asked.
  public var url: String?
  /// What it is asked about.
  public var decides: Set<Question.Kind> = Set(Question.Kind.allCases)
  /// What it is told of.
  public var events: Set<ClusterEvent.Kind> = []
  /// What goes on without an answer; the rest is refused then.
  public var failsOpen: Set<Question.Kind> = []
  /// With what its requests are signed; nil for not at all.
  public var secret: [UInt8]?
  public var secretFile: String?
  /// How long an answer may take, from the question to its last byte.
  public var timeout = TimeAmount.seconds(3)
  /// Connections to the backend. As many questions again, and twice, may wait for one.
  public var connections = 32
  /// For how long an answer counts at the most, which says for how long it does.
  public var cache = TimeAmount.minutes(5)
  public var breaker = CircuitBreaker.Settings()

  /// Bytes of an answer.
  static let answerLimit = 256 << 10
  /// Answers that are kept, and bytes of them.
  static let cachedAnswers = 20_000
  static let cachedBytes = 16 << 20

  public init(url: String? = nil) {
    self.url = url
  }
}
