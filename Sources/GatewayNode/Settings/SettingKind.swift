private import Logging
public import NIOCore

/// What values a setting takes.
public enum SettingKind: Sendable {
  case name
  case address
  case redisURL
  case count(ClosedRange<Int>)
  case duration(ClosedRange<TimeAmount>)
  case size(ClosedRange<Int>)
  case choice([String])
  case list([String])
  case truth
  case addressRanges
  case path
  case paths
  case url
  case backendURL
  case texts
  case origins

  /// What is allowed, to stand after "expected".
  public var expectation: String {
    switch self {
    case .name: "1 to 64 of A-Z a-z 0-9 _ . -"
    case .address: "HOST:PORT, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080"
    case .redisURL: "redis://[user:password@]host[:port][/database]"
    case .count(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
    case .duration(let range):
      """
      a duration from \(DurationText.write(range.lowerBound)) to \(DurationText.write(range.upperBound)), \
      such as 500ms, 30s or 1h
      """
    case .size(let range):
      """
      a size from \(SizeText.write(range.lowerBound)) to \(SizeText.write(range.upperBound)), \
      such as 4096, 64KiB or 1MiB
      """
    case .choice(let names): "one of \(names.joined(separator: ", "))"
    case .list(let names): "one or several of \(names.joined(separator: ",")), with commas between"
    case .truth: "true or false"
    case .addressRanges: "addresses or CIDR ranges with commas between, such as 10.0.0.0/8,127.0.0.1,fd00::/8"
    case .path: "a path"
    case .paths: "one or several paths, with commas between"
    case .url: "https://host/path, or http:// to this machine"
    case .backendURL: "http://HOST[:PORT]/PATH or https://…"
    case .texts: "one or several texts, with commas between"
    case .origins: "origins with commas between, such as https://example.com,https://*.example.org, or *"
    }
  }

  /// What stands for the value in a usage line.
  public var valueName: String {
    switch self {
    case .name: "name"
    case .address: "host:port"
    case .redisURL: "url"
    case .count: "number"
    case .duration: "duration"
    case .size: "size"
    case .choice(let names): names.count <= 3 ? names.joined(separator: "|") : "level"
    case .list: "names"
    case .truth: "true|false"
    case .addressRanges: "addresses"
    case .path: "file"
    case .paths: "files"
    case .url, .backendURL: "url"
    case .texts: "texts"
    case .origins: "origins"
    }
  }

  /// The URL of a server of HTTP as it may be shown: what stands before an `@` of its path is no password, and what it
  /// asks may have a secret.
  static func withoutPassword(ofWebURL url: String) -> String {
    let start = url.firstRange(of: "://").map(\.upperBound) ?? url.startIndex
    let end = url[start...].firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? url.endIndex
    let rest = url[end...]
    let query = rest.firstIndex(of: "?").map { rest[..<$0] + "?***" } ?? rest
    return withoutPassword(String(url[..<end])) + query
  }

  /// A URL as it may be shown.
  static func withoutPassword(_ url: String) -> String {
    guard let at = url.lastIndex(of: "@") else { return url }
    let start = url.firstRange(of: "://").map(\.upperBound) ?? url.startIndex
    guard start <= at else { return url }
    let user = url[start..<at].prefix { $0 != ":" }
    return "\(url[..<start])\(user.count < url[start..<at].count ? "\(user):***" : "***")\(url[at...])"
  }
}

/// The log levels by name, the most talkative first.
enum LogLevels {
  static let names = Logger.Level.allCases.map(\.rawValue)
}
