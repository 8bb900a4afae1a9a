public import Wire

/// Why a token does not open the door. What is said of it never repeats the token.
public enum TokenFault: Error, Sendable, Equatable {
  case malformed(String)
  /// One that is not accepted, `none` among them.
  case algorithm(String)
  /// There is no key of that name for its algorithm.
  case unknownKey
  /// Keys could not be had so far.
  case noKeys
  case badSignature
  case expired
  case notYetValid
  case hasNoExpiry
  case wrongAudience
  case wrongIssuer
  /// A claim is not what it should be.
  case badClaim(String)

  /// Whether no key verifies the token: signatures may have been computed to find that out, and keys asked for.
  public var isUnverified: Bool {
    switch self {
    case .unknownKey, .badSignature: true
    default: false
    }
  }

  /// As the client is told.
  public var error: ClientError {
    switch self {
    case .expired: ClientError(.tokenExpired, "the token has expired")
    case .noKeys: ClientError(.unavailable, "the keys for tokens are not there yet")
    default: ClientError(.unauthorized, "the token is not accepted: \(reason)")
    }
  }

  public var reason: String {
    switch self {
    case .malformed(let what): "\(what)"
    case .algorithm(let name):
      "its algorithm is \(name), not one of \(TokenAlgorithm.allCases.map(\.rawValue).joined(separator: ", "))"
    case .noKeys: "there are no keys"
    case .unknownKey: "no key for it is known here"
    case .badSignature: "its signature is wrong"
    case .expired: "it has expired"
    case .notYetValid: "it is not valid yet"
    case .hasNoExpiry: "it has no exp"
    case .wrongAudience: "its aud is another"
    case .wrongIssuer: "its iss is another"
    case .badClaim(let what): what
    }
  }
}
