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

  /// The request header that gives it back.
  static func header(_ value: String) -> (name: String, value: String) {
    ("Cookie", "\(name)=\(value)")
  }
}
