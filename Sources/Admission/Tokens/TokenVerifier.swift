import Crypto
import NIOConcurrencyHelpers
public import NIOCore
import Wire

/// Verifies tokens with the keys of the moment; shared by all loops of a node.
///
/// A verification takes microseconds with a secret and some tens of them with a public key, less than a connection
/// costs otherwise, so it is done where the request is: nothing waits in a queue that could grow. What was verified
/// is remembered for a while, for clients that come again and again, also with a token that has run out.
public final class TokenVerifier: Sendable {
  /// Gets keys that are not known yet; called at every unknown name and wrong signature, so it limits itself. Answers
  /// once, on `loop`, when they are there as far as they are to be had.
  public typealias Refresh =
    @Sendable (_ loop: any EventLoop, _ done: @escaping @Sendable () -> Void) -> Void

  private struct Memory {
    static let most = 2_048
    var young: [SHA256.Digest: TokenClaims] = [:]
    var old: [SHA256.Digest: TokenClaims] = [:]

    mutating func recall(_ name: SHA256.Digest) -> TokenClaims? {
      if let claims = young[name] { return claims }
      guard let claims = old[name] else { return nil }
      keep(claims, name)
      return claims
    }

    mutating func keep(_ claims: TokenClaims, _ name: SHA256.Digest) {
      if young.count >= Memory.most {
        old = young
        young = [:]
      }
      young[name] = claims
    }
  }

  private struct State {
    var keys: TokenKeys
    var memory = Memory()
    /// Counts the changes of the keys.
    var edition = 0
    var refresh: Refresh?
  }

  public let rules: TokenRules
  private let state: NIOLockedValueBox<State>

  public init(_ keys: TokenKeys, rules: TokenRules) {
    self.rules = rules
    state = NIOLockedValueBox(State(keys: keys))
  }

  /// What was verified by a key that is gone is verified no more.
  public func replaceKeys(_ keys: TokenKeys) {
    state.withLockedValue {
      $0.keys = keys
      $0.memory = Memory()
      $0.edition += 1
    }
  }

  public func whenKeyIsUnknown(_ refresh: @escaping Refresh) {
    state.withLockedValue { $0.refresh = refresh }
  }

  /// The claims of a token that is good now.
  public func verify(_ token: some StringProtocol) throws(TokenFault) -> TokenClaims {
    try verify(token, now: WallClock.milliseconds())
  }

  /// `now` is in milliseconds since 1970.
  func verify(_ token: some StringProtocol, now: Int64) throws(TokenFault) -> TokenClaims {
    guard token.utf8.count <= UncheckedToken.longest else { throw .malformed("it is too long") }
    let name = SHA256.hash(data: Array(token.utf8))
    let (keys, known, edition) = state.withLockedValue { ($0.keys, $0.memory.recall(name), $0.edition) }
    if let known {
      if let fault = rules.fault(in: known, now: now) { throw fault }
      return known
    }
    let unchecked = try UncheckedToken(token)
    guard keys.count > 0 else { throw .noKeys }
    try keys.verify(unchecked)
    let claims = try TokenClaims(unchecked.payload)
    state.withLockedValue { if $0.edition == edition { $0.memory.keep(claims, name) } }
    if let fault = rules.fault(in: claims, now: now) { throw fault }
    return claims
  }

  /// Whether the token was verified lately by a key that is still there: to look at it again takes no signature.
  public func remembers(_ token: some StringProtocol) -> Bool {
    guard token.utf8.count <= UncheckedToken.longest else { return false }
    let name = SHA256.hash(data: Array(token.utf8))
    return state.withLockedValue { $0.memory.recall(name) != nil }
  }

  /// The same; where the token's key may be a new one, after keys were asked for anew. Answers on `loop`, at once as a
  /// rule.
  public func verify(
    _ token: String,
    on loop: any EventLoop,
    _ done: @escaping @Sendable (Result<TokenClaims, TokenFault>) -> Void
  ) {
    let edition = state.withLockedValue { $0.edition }
    do {
      return done(.success(try verify(token)))
    } catch {
      guard mayBeOfNewKey(error), let refresh = state.withLockedValue({ $0.refresh }) else {
        return done(.failure(error))
      }
      refresh(loop) { [self] in
        // Others may have had them come meanwhile.
        guard edition != state.withLockedValue({ $0.edition }) else { return done(.failure(error)) }
        do throws(TokenFault) {
          done(.success(try verify(token)))
        } catch {
          done(.failure(error))
        }
      }
    }
  }

  /// Whether other keys could verify what these do not: a token that names no key may be of any, and a name that is
  /// known may have been given to a new key.
  private func mayBeOfNewKey(_ fault: TokenFault) -> Bool {
    switch fault {
    case .unknownKey, .noKeys, .badSignature: true
    default: false
    }
  }

  /// Who comes with such claims from such an address.
  public func caller(_ claims: TokenClaims, from origin: Caller.Origin) -> Caller {
    Caller(
      user: claims.user,
      info: claims.info,
      rights: claims.rights,
      expires: rules.end(of: claims),
      from: origin
    )
  }
}
