extension Endpoint {
  /// `http://HOST[:PORT]`, or `HOST:PORT` alone; nil when the text is neither. TLS is not spoken.
  init?(url: String) {
    var rest = url[...]
    let hasScheme = rest.hasPrefix("http://")
    if hasScheme { rest = rest.dropFirst("http://".count) }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.isEmpty, !rest.contains(where: { "/?#@ ".contains($0) }) else { return nil }
    var port = 80
    if let colon = rest.lastIndex(of: ":"), rest.last != "]" {
      guard let number = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(number) else {
        return nil
      }
      port = number
      rest = rest[..<colon]
    } else if !hasScheme {
      return nil
    }
    if rest.hasPrefix("["), rest.hasSuffix("]") { rest = rest.dropFirst().dropLast() }
    guard !rest.isEmpty else { return nil }
    self.init(host: String(rest), port: port)
  }
}
