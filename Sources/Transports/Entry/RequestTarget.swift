/// The target of a request (RFC 9112 section 3.2), cut into what routing needs.
struct RequestTarget: Equatable {
  /// As it was sent, without the query.
  let path: String
  /// The path's segments, each decoded on its own, so that an escaped slash is no separator. None for `/`.
  let segments: [String]
  let query: QueryParameters
  /// `*`, which asks about the server as a whole.
  let isAsterisk: Bool

  /// Nil when it is malformed. The absolute form, as sent to proxies, counts with its path alone.
  init?(_ target: String) {
    let target = Self.withoutAuthority(target)
    self.isAsterisk = target == "*"
    var rest = Substring(target).utf8
    guard self.isAsterisk || rest.first == UInt8(ascii: "/") else { return nil }
    if let fragment = rest.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<fragment] }
    let pathEnd = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
    let path = rest[..<pathEnd]
    self.path = String(Substring(path))
    guard let query = QueryParameters(Substring(rest[pathEnd...].dropFirst())) else { return nil }
    self.query = query
    var segments: [String] = []
    if path.count > 1 {
      for part in path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
        guard let segment = PercentEncoding.decode(Substring(part)) else { return nil }
        segments.append(segment)
      }
    }
    self.segments = segments
  }

  private static func withoutAuthority(_ target: String) -> String {
    guard target.utf8.first != UInt8(ascii: "/"),
      let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) })
    else { return target }
    let rest = target.utf8.dropFirst(scheme.utf8.count)
    let start = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
    let path = Substring(rest[start...])
    return path.hasPrefix("/") ? String(path) : "/\(path)"
  }
}
