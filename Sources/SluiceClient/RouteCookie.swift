import NIOHTTP1

/// The cookie by which a load balancer finds the node again.
enum RouteCookie {
  static let name = "sluice_route"

  /// The value that an answer sets, if it does.
  static func value(in headers: HTTPHeaders) -> String? {
    for cookie in headers["Set-Cookie"] {
      let pair = cookie.prefix { $0 != ";" }
      guard let equals = pair.firstIndex(of: "="), pair[..<equals] == name else { continue }
      return String(pair[pair.index(after: equals)...])
    }
    return nil
  }

  /// Gives it back with a request.
  static func add(_ value: String, to headers: inout HTTPHeaders) {
    headers.add(name: "Cookie", value: "\(name)=\(value)")
  }
}
