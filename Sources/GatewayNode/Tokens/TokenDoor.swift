internal import Admission
internal import Logging
internal import NIOCore
private import Telemetry

/// The keys of a node, and what keeps them fresh.
struct TokenDoor: Sendable {
  let verifier: TokenVerifier
  private let follower: KeySetFollower?

  /// Nil where the settings name no keys. Asks for those of a URL once, and starts without them if need be.
  static func open(
    _ settings: NodeSettings,
    on group: any EventLoopGroup,
    log: Logger
  ) async throws(NodeFailure) -> TokenDoor? {
    guard settings.hasTokenKeys else { return nil }
    let keys: TokenKeys
    do {
      keys = try await TokenKeys(opening: settings.tokenKeys)
    } catch {
      throw NodeFailure("the keys for tokens are of no use: \(error)")
    }
    let verifier = TokenVerifier(keys, rules: settings.tokenRules)
    warn(keys, log)
    guard let url = settings.tokenKeySetURL else { return TokenDoor(verifier: verifier, follower: nil) }
    let follower = KeySetFollower(url, besides: settings.tokenKeys, for: verifier, on: group, log: log)
    await follower.start()
    return TokenDoor(verifier: verifier, follower: follower)
  }

  /// Not every key is tried for whoever says nothing.
  static func warn(_ keys: TokenKeys, _ log: Logger) {
    for algorithm in keys.crowded {
      log.warning(
        "many keys for \(algorithm.rawValue): the first \(TokenKeys.mostTries) alone are tried for a token without a kid",
        metadata: [LogKey.count: "\(keys.count)"]
      )
    }
  }

  func close() async {
    await follower?.stop()
  }
}
