import Crypto

/// A Lua script and the name the server knows it by.
public struct RedisScript: Sendable, Hashable {
  public let source: String
  /// SHA-1 of the source in lower-case hexadecimal, the name for `EVALSHA`.
  public let sha1: String

  public init(_ source: String) {
    self.source = source
    self.sha1 = Insecure.SHA1.hash(data: Array(source.utf8))
      .map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
      .joined()
  }

  public static func == (one: RedisScript, other: RedisScript) -> Bool { one.sha1 == other.sha1 }
  public func hash(into hasher: inout Hasher) { hasher.combine(sha1) }
}
