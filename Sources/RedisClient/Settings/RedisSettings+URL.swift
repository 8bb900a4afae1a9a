/// What is wrong with a Redis URL. Never repeats its password.
public struct RedisURLError: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String

  init(_ description: String) {
    self.description = description
  }
}

extension RedisSettings {
  /// Reads `redis://[user][:password]@host[:port][/database]`. User and password are percent-decoded.
  public init(url: String) throws(RedisURLError) {
    let rest = try Self.withoutScheme(url)
    let slash = rest.firstIndex(of: "/") ?? rest.endIndex
    let authority = rest[..<slash]
    let path = rest[slash...].dropFirst()
    guard !path.contains("@") else {
      throw RedisURLError("a '/' in the user or password must be written %2F")
    }
    guard !rest.contains("?"), !rest.contains("#") else {
      throw RedisURLError("no '?' or '#' is understood here; in a user or password write %3F or %23")
    }
    let at = authority.lastIndex(of: "@")
    let place = at.map { authority[authority.index(after: $0)...] } ?? authority
    self.init(address: try Self.address(place), database: try Self.database(path))
    if let at {
      let parts = authority[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let user = try Self.decode(parts[0], "user")
      self.user = user.isEmpty ? nil : user
      self.password = parts.count > 1 ? try Self.decode(parts[1], "password") : nil
      if self.user != nil, self.password == nil {
        throw RedisURLError(
          "a user needs a password: redis://user:password@host; one alone is :password@host"
        )
      }
    }
  }

  private static func withoutScheme(_ url: String) throws(RedisURLError) -> Substring {
    let scheme = "redis://"
    if url.lowercased().hasPrefix(scheme) { return url.dropFirst(scheme.count) }
    if url.lowercased().hasPrefix("rediss://") {
      throw RedisURLError("rediss:// (TLS) is not supported; use redis://")
    }
    throw RedisURLError("a Redis URL looks like redis://host:6379/0; this one does not begin with redis://")
  }

  private static func address(_ text: Substring) throws(RedisURLError) -> RedisAddress {
    var host = text
    var port: Substring?
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else {
        throw RedisURLError("the '[' of the host has no ']'")
      }
      host = text[text.index(after: text.startIndex)..<end]
      let after = text[text.index(after: end)...]
      guard after.isEmpty || after.hasPrefix(":") else {
        throw RedisURLError("after ']' only ':' and a port can follow")
      }
      port = after.isEmpty ? nil : after.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
      if port?.contains(":") == true {
        throw RedisURLError("an IPv6 host must stand in brackets: redis://[::1]:6379")
      }
    }
    guard !host.isEmpty else { throw RedisURLError("the host is missing: redis://host:6379/0") }
    guard let port else { return RedisAddress(host: String(host)) }
    guard let number = Int(port), (1...65_535).contains(number) else {
      throw RedisURLError("the port '\(port)' is not a number from 1 to 65535")
    }
    return RedisAddress(host: String(host), port: number)
  }

  private static func database(_ text: Substring) throws(RedisURLError) -> Int {
    if text.isEmpty { return 0 }
    guard let number = Int(text), number >= 0 else {
      throw RedisURLError("the database '\(text)' is not a number from 0 upwards")
    }
    return number
  }

  private static func decode(_ text: Substring, _ name: String) throws(RedisURLError) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard rest.count >= 2, let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else {
        throw RedisURLError("a '%' in the \(name) must be followed by two hexadecimal digits (itself is %25)")
      }
      rest = rest.dropFirst(2)
      bytes.append(value)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else {
      throw RedisURLError("the \(name) is not UTF-8 after decoding")
    }
    return decoded
  }
}
