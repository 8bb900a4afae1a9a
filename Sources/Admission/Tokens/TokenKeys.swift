import JWTKit

/// Keys at work.
public struct TokenKeys: Sendable {
  private struct Entry: Sendable {
    let id: String?
    let algorithm: TokenAlgorithm
    let key: any JWTAlgorithm
  }

  /// Keys that are tried for a token which names none of them.
  public static let mostTries = 8

  private let entries: [Entry]

  /// Throws when a key turns out to be of no use.
  public init(opening keys: [TokenKey]) async throws {
    var entries: [Entry] = []
    for key in keys {
      entries.append(Entry(id: key.id, algorithm: key.algorithm, key: try await key.opened()))
    }
    self.entries = entries
  }

  public var count: Int { entries.count }

  /// Algorithms with so many keys that not all are tried for a token which names none.
  public var crowded: [TokenAlgorithm] {
    TokenAlgorithm.allCases.filter { algorithm in
      entries.count { $0.algorithm == algorithm } > TokenKeys.mostTries
    }
  }

  /// Throws ``TokenFault/unknownKey`` when there is no key to try, or none has the name that the token gives and those
  /// without a name do not verify it either. Only keys of the token's algorithm are, so that a
  /// public key is never taken for a secret (RFC 8725 section 3.1).
  public func verify(_ token: UncheckedToken) throws(TokenFault) {
    var candidates = entries.filter { $0.algorithm == token.algorithm }
    var isNamed = true
    if let id = token.keyID {
      let named = candidates.filter { $0.id == id }
      isNamed = !named.isEmpty
      candidates = isNamed ? named : candidates.filter { $0.id == nil }
    }
    guard !candidates.isEmpty else { throw .unknownKey }
    for entry in candidates.prefix(TokenKeys.mostTries) {
      if (try? entry.key.verify(token.signature, signs: token.signed)) == true { return }
    }
    throw isNamed ? .badSignature : .unknownKey
  }
}
