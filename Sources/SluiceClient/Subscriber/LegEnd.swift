import NIOCore
import NIOHTTP1
import Wire

/// How a connection of a subscriber ended, and what follows from it.
struct LegEnd {
  enum Sequel {
    /// The server is away or busy, whatever the transport; it may be back after so long.
    case later(TimeAmount)
    /// It may work again after so long.
    case again(TimeAmount)
    /// Another transport may work, after so long if there is none that was not tried.
    case otherwise(TimeAmount)
    /// The server does not offer this transport.
    case disabled
    /// The token is missing, bad or expired.
    case unauthorized
    /// It will never work.
    case never
  }

  var reason: String
  var closeCode: UInt16?
  var sequel: Sequel

  init(_ reason: String, closeCode: UInt16? = nil, _ sequel: Sequel) {
    self.reason = reason
    self.closeCode = closeCode
    self.sequel = sequel
  }
}

extension ResilientSubscriber {
  /// What an answer other than the one hoped for means.
  func end(refusedWith response: HTTPResponse) -> LegEnd {
    let reason = "refused: \(response.summary)"
    let wait = backoff.next(atLeast: response.retryAfter ?? .zero)
    let code = response.problem.flatMap { ErrorCode(rawValue: $0.code) }
    switch response.status.code {
    case 403 where response.isTransportDisabled: return LegEnd(reason, .disabled)
    case 401: return LegEnd(reason, .unauthorized)
    case 400, 403, 404: return LegEnd(reason, isFinal(code) ? .never : .otherwise(wait))
    case 429, 502, 503, 504:
      // What stands on the way and lets this transport not pass does not say when to come again.
      return LegEnd(reason, response.retryAfter == nil ? .again(wait) : .later(wait))
    default: return LegEnd(reason, .otherwise(wait))
    }
  }

  /// What the last word of a stream means.
  func end(refusedWith error: ClientError, after wait: TimeAmount) -> LegEnd {
    let reason = "refused: \(error.code.rawValue): \(error.message)"
    switch error.code {
    case .unauthorized, .tokenExpired: return LegEnd(reason, .unauthorized)
    case .forbidden: return LegEnd(reason, .never)
    case _ where error.code.rule.retryAfterMS != nil: return LegEnd(reason, .later(wait))
    default: return LegEnd(reason, .again(wait))
    }
  }

  /// Whether the node itself has said no, rather than something on the way that lets one transport pass and
  /// another not.
  private func isFinal(_ code: ErrorCode?) -> Bool {
    switch code {
    case .forbidden, .badChannel, .badCursor, .tooLarge: true
    default: ladder.isSingle
    }
  }
}
