/// Every error that a client can be told, on any transport.
public enum ErrorCode: String, Sendable, CaseIterable {
  case badRequest = "bad_request"
  case badJSON = "bad_json"
  case unknownType = "unknown_type"
  case badChannel = "bad_channel"
  case badCursor = "bad_cursor"
  case tooLarge = "too_large"
  case unauthorized
  case tokenExpired = "token_expired"
  case forbidden
  case notFound = "not_found"
  case notSubscribed = "not_subscribed"
  case alreadySubscribed = "already_subscribed"
  case rateLimited = "rate_limited"
  case overloaded
  case unavailable
  case draining
  case transportDisabled = "transport_disabled"
  case methodNotAllowed = "method_not_allowed"
  case `internal`
}

/// What an error does on each transport.
public struct ErrorRule: Sendable, Equatable {
  public let httpStatus: UInt16
  /// How a WebSocket is closed when the error ends it.
  public let closeCode: CloseCode
  /// Milliseconds after which the same request may succeed; nil where a retry makes no sense.
  public let retryAfterMS: Int?
}

extension ErrorCode {
  /// The one table of errors.
  public var rule: ErrorRule {
    switch self {
    case .badRequest, .badJSON, .unknownType, .badChannel, .badCursor: rule(400, .policy)
    case .unauthorized: rule(401, .badToken)
    case .tokenExpired: rule(401, .tokenExpired)
    case .forbidden: rule(403, .forbidden)
    case .transportDisabled: rule(403, .policy)
    case .notFound: rule(404, .policy)
    case .methodNotAllowed: rule(405, .policy)
    case .notSubscribed, .alreadySubscribed: rule(409, .policy)
    case .tooLarge: rule(413, .tooBig)
    case .rateLimited: rule(429, .policy, retryAfterMS: 1_000)
    case .internal: rule(500, .internalError)
    case .overloaded: rule(503, .overload, retryAfterMS: 2_000)
    case .unavailable: rule(503, .overload, retryAfterMS: 1_000)
    case .draining: rule(503, .drain, retryAfterMS: 1_000)
    }
  }

  private func rule(_ status: UInt16, _ close: CloseCode, retryAfterMS: Int? = nil) -> ErrorRule {
    ErrorRule(httpStatus: status, closeCode: close, retryAfterMS: retryAfterMS)
  }
}

/// An error on its way to a client.
public struct ClientError: Error, Sendable, Equatable {
  public var code: ErrorCode
  /// For a person: what was wrong and what to do.
  public var message: String
  /// Overrides the table's retry rule.
  public var retryAfterMS: Int?

  public init(_ code: ErrorCode, _ message: String, retryAfterMS: Int? = nil) {
    self.code = code
    self.message = message
    self.retryAfterMS = retryAfterMS ?? code.rule.retryAfterMS
  }
}
