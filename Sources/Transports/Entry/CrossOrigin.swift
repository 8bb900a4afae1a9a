import Admission
import NIOHTTP1

/// What answers tell a browser about pages of other sites (the Fetch standard, section 3.2).
enum CrossOrigin {
  /// What a page may send beside what any page may.
  static let allowedHeaders =
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Sluice-Session"
  /// What it may read beside what any page may.
  static let exposedHeaders =
    "ETag, Link, Location, Retry-After, Sluice-Session, WWW-Authenticate, X-Poll-Interval"
  /// For how long a browser remembers a preflight, in seconds; none does for longer.
  static let maximumAge = "7200"

  /// The verdict about a request; two origins are none of ours.
  static func judge(_ head: HTTPRequestHead, by policy: OriginPolicy) -> OriginPolicy.Verdict {
    let origins = head.headers["Origin"]
    guard origins.count <= 1 else { return .refused }
    let site = origins.isEmpty ? head.headers.first(name: "Sec-Fetch-Site") : nil
    return policy.judge(origin: origins.first, host: head.headers.first(name: "Host"), site: site)
  }

  static func headers(_ verdict: OriginPolicy.Verdict, _ policy: OriginPolicy) -> HTTPHeaders {
    var headers = HTTPHeaders()
    if policy.varies { headers.add(name: "Vary", value: "Origin") }
    if case .allowed(let origin) = verdict {
      headers.add(name: "Access-Control-Allow-Origin", value: origin)
      headers.add(name: "Access-Control-Expose-Headers", value: exposedHeaders)
    }
    return headers
  }

  /// What the answer to a preflight has more.
  static func preflight(_ head: HTTPRequestHead, allow: String) -> HTTPHeaders {
    guard head.headers.contains(name: "Access-Control-Request-Method") else { return [:] }
    return [
      "Access-Control-Allow-Methods": allow, "Access-Control-Allow-Headers": allowedHeaders,
      "Access-Control-Max-Age": maximumAge,
    ]
  }
}
