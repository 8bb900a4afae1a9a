/// Why the broker could not do it.
public struct BrokerError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: Sendable {
    /// The store cannot be reached or does not answer; whether it was done is unknown. Try again.
    case unavailable
    /// The store answered something that it never should.
    case broken
  }

  public var kind: Kind
  public var reason: String
  /// When it makes sense to try again, where that is known.
  public var retryAfterMS: Int?

  public init(_ kind: Kind, _ reason: String, retryAfterMS: Int? = nil) {
    self.kind = kind
    self.reason = reason
    self.retryAfterMS = retryAfterMS
  }

  public var description: String { reason }
}
