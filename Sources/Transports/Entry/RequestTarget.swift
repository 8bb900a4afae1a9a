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
    var rest = target[...]
    self.isAsterisk = target == "*"
    if let scheme = ["http://", "https://"].first(where: { target.lowercased().hasPrefix($0) }) {
      rest = rest.dropFirst(scheme.count)
      rest = rest.firstIndex { $0 == "/" || $0 == "?" }.map { rest[$0...] } ?? ""
      if !rest.hasPrefix("/") { rest = "/" + rest }
    }
    guard self.isAsterisk || rest.hasPrefix("/") else { return nil }
    rest = rest.prefix { $0 != "#" }
    let path = rest.prefix { $0 != "?" }
    self.path = String(path)
    guard let query = QueryParameters(rest.dropFirst(path.count + 1)) else { return nil }
    self.query = query
    var segments: [String] = []
    if path.count > 1 {
      for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
        guard let segment = PercentEncoding.decode(part) else { return nil }
        segments.append(segment)
      }
    }
    self.segments = segments
  }
}
