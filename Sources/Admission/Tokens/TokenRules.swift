/// What a token must say beside its signature.
public struct TokenRules: Sendable {
  /// One of them must be among the token's `aud`; empty for whatever it says.
  public var audiences: [String] = []
  /// One of them must be its `iss`; empty for whatever it says.
  public var issuers: [String] = []
  /// How wrong clocks may be, in milliseconds.
  public var leeway: Int64 = 30_000
  public var requiresExpiry = true

  public init() {}

  /// What is wrong with the claims at that time, in milliseconds since 1970; nil when nothing is.
  public func fault(in claims: TokenClaims, now: Int64) -> TokenFault? {
    if let end = end(of: claims) {
      guard now < end else { return .expired }
    } else if requiresExpiry {
      return .hasNoExpiry
    }
    if let start = claims.notBefore, now < start - leeway { return .notYetValid }
    if !audiences.isEmpty, !claims.audiences.contains(where: audiences.contains) { return .wrongAudience }
    if !issuers.isEmpty, !(claims.issuer.map(issuers.contains) ?? false) { return .wrongIssuer }
    return nil
  }

  /// When the token is refused, in milliseconds since 1970.
  public func end(of claims: TokenClaims) -> Int64? {
    claims.expires.map { $0 + leeway }
  }
}
