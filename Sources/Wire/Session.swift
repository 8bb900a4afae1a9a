private import Crypto

/// One client's presence in the cluster. The secret is valid on every node; others see `member`.
///
/// The secret is `random.binding`, the binding a hash of the random part and the user: a session given back
/// with another user's token is recognised without asking anyone.
public struct Session: Hashable, Sendable {
  /// 22 characters of base64url, a dot, 11 more.
  public let secret: String
  /// The public id: 16 characters of base64url, derived from the secret.
  public let member: String

  /// A new session.
  public init(user: String?) {
    // Two calls of the system's generator, not one for each byte.
    let random = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
    self.init(random: withUnsafeBytes(of: random) { Session.base64URL(Array($0)) }, user: user)
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
    text.utf8.count == 16 && text.utf8.allSatisfy(base64URLAlphabet.contains)
  }

  private static let base64URLAlphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8
  )

  private init(random: String, user: String?) {
    let binding = SHA256.hash(
      data: Array("session \(random) \(user.map { "user \($0)" } ?? "anonymous")".utf8)
    )
    secret = "\(random).\(Session.base64URL(Array(binding.prefix(8))))"
    member = Session.base64URL(Array(SHA256.hash(data: Array("member \(secret)".utf8)).prefix(12)))
  }

  static func base64URL(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(base64URLAlphabet[Int(bits >> UInt32(count)) & 63])
      }
    }
    if count > 0 { text.append(base64URLAlphabet[Int(bits << UInt32(6 - count)) & 63]) }
    return String(decoding: text, as: UTF8.self)
  }
}
