public import NIOCore

/// What a node says of itself.
public struct NodeRecord: Sendable, Equatable {
  /// Node id, `/`, random start id.
  public var incarnation: String
  /// Whether its lease lasts.
  public var isAlive: Bool
  /// The JSON object of its last heartbeat.
  public var state: ByteBuffer
  /// How long ago that was.
  public var silence: TimeAmount

  public init(incarnation: String, isAlive: Bool, state: ByteBuffer, silence: TimeAmount = .zero) {
    self.incarnation = incarnation
    self.isAlive = isAlive
    self.state = state
    self.silence = silence
  }
}

/// Whether the cluster can be reached.
public struct BrokerHealth: Sendable, Equatable {
  public var canPublish: Bool
  /// The feed is connected, subscribed and proved alive.
  public var isFed: Bool
  /// For an operator, when something does not work.
  public var problem: String?

  public init(canPublish: Bool, isFed: Bool, problem: String? = nil) {
    self.canPublish = canPublish
    self.isFed = isFed
    self.problem = problem
  }

  public var isReady: Bool { canPublish && isFed }
}
