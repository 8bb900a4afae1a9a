private import Crypto

/// One client's presence in the cluster. The secret is valid on every node; others see `member`.
///
/// The secret is `random.binding`, the binding a hash of the random part and the user: a session given back
/// with another user's token is recognised without asking anyone.
public struct Session: Hashable, Sendable {
  /// 22 characters of base64url, a dot, 11 more.
  public let secret: String
  /// The public id: 16 characters of base64url, derived from the secret. Clients derive it as well.
  public let member: String

  /// A new session.
  public init(user: String?) {
    // Two calls of the system's generator, not one for each byte.
    let random = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    self.init(random: withUnsafeBytes(of: random) { Base64URL.encode($0) }, user: user)
  }

  /// Nil when `secret` is not the session of this user.
  public init?(secret: some StringProtocol, user: String?) {
    guard let dot = secret.firstIndex(of: "."), secret.utf8.count == 34,
      secret.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else { return nil }
    self.init(random: String(secret[..<dot]), user: user)
    guard self.secret == secret else { return nil }
  }

  /// Whether a text could be a member's public id.
  public static func isMember(_ text: some StringProtocol) -> Bool {
    text.utf8.count == 16 && text.utf8.allSatisfy(Base64URL.has)
  }

  private init(random: String, user: String?) {
    let bound = Session.hash("session ", random, user == nil ? " anonymous" : " user ", user ?? "")
    let binding = bound.withUnsafeBytes { Base64URL.encode($0.prefix(8)) }
    secret = "\(random).\(binding)"
    member = Session.hash("member ", secret).withUnsafeBytes { Base64URL.encode($0.prefix(12)) }
  }

  /// Of the texts, one after another.
  private static func hash(_ texts: String...) -> SHA256Digest {
    let count = texts.reduce(0) { $0 + $1.utf8.count }
    return withUnsafeTemporaryAllocation(byteCount: count, alignment: 1) { bytes in
      var end = 0
      for var text in texts {
        text.withUTF8 { text in
          UnsafeMutableRawBufferPointer(rebasing: bytes[end...]).copyMemory(
            from: UnsafeRawBufferPointer(text)
          )
          end += text.count
        }
      }
      var hash = SHA256()
      hash.update(bufferPointer: UnsafeRawBufferPointer(bytes))
      return hash.finalize()
    }
  }
}
