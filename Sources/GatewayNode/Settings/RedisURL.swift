/// The form of a Redis URL.
enum RedisURL {
  /// `redis://[user:password@]host[:port][/database]`.
  static func isValid(_ text: String) -> Bool {
    guard text.hasPrefix("redis://") else { return false }
    var rest = text.dropFirst("redis://".count)
    if let at = rest.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
    if let slash = rest.firstIndex(of: "/") {
      let database = rest[rest.index(after: slash)...]
      guard database.isEmpty || Int(database).map({ (0...65_535).contains($0) }) == true else { return false }
      rest = rest[..<slash]
    }
    if rest.hasSuffix("]") { rest += ":6379" } else if !rest.contains(":") { rest += ":6379" }
    return ListenAddress(String(rest)).map { $0.port > 0 } ?? false
  }
}
