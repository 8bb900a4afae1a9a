/// Pages of which sites may ask (the `Origin` of a request, RFC 6454).
public struct OriginPolicy: Sendable, Equatable {
  public enum Verdict: Sendable, Equatable {
    /// No page of another site asks.
    case own
    /// A page asks that may; an answer is to say so with this `Access-Control-Allow-Origin`.
    case allowed(String)
    case refused
  }

  /// An origin, or the sites below a domain.
  public enum Pattern: Sendable, Equatable {
    case exact(String)
    /// `https://*.example.com`: the scheme with its slashes, and the end of the host with its dot, and with the port.
    case below(scheme: String, suffix: String)

    /// Nil for what is no origin: a scheme, a host and maybe a port, nothing behind.
    public init?(_ text: String) {
      let text = text.lowercased()
      guard let slashes = text.firstRange(of: "://") else { return nil }
      let scheme = text[..<slashes.upperBound]
      var authority = text[slashes.upperBound...]
      let isBelow = authority.hasPrefix("*.")
      if isBelow { authority = authority.dropFirst() }
      let name = isBelow ? authority.dropFirst() : authority
      guard scheme.count > 3, !name.isEmpty, !name.hasPrefix("."),
        scheme.dropLast(3).utf8.allSatisfy({ OriginPolicy.isPlain($0) || $0 == UInt8(ascii: "+") }),
        name.utf8.allSatisfy({ OriginPolicy.isPlain($0) || OriginPolicy.isOfAddress($0) })
      else { return nil }
      self = isBelow ? .below(scheme: String(scheme), suffix: String(authority)) : .exact(text)
    }

    public var text: String {
      switch self {
      case .exact(let text): text
      case .below(let scheme, let suffix): "\(scheme)*\(suffix)"
      }
    }

    func matches(_ origin: String) -> Bool {
      switch self {
      case .exact(let text): text == origin
      case .below(let scheme, let suffix):
        // What stands for the star is of a name: everything else could be of a path or a user.
        origin.hasPrefix(scheme) && origin.hasSuffix(suffix)
          && origin.utf8.count > scheme.utf8.count + suffix.utf8.count
          && origin.utf8.dropFirst(scheme.utf8.count).dropLast(suffix.utf8.count)
            .allSatisfy(OriginPolicy.isPlain)
      }
    }
  }

  /// Whether pages of every site may ask, also those that hide where they are from.
  public var allowsAll: Bool
  public var patterns: [Pattern]

  /// Without anything, pages of the node's own site only.
  public init(allowsAll: Bool = false, patterns: [Pattern] = []) {
    self.allowsAll = allowsAll
    self.patterns = patterns
  }

  /// Whether answers depend on the `Origin`, which caches must know.
  public var varies: Bool { !allowsAll && !patterns.isEmpty }

  /// - Parameters:
  ///   - origin: nil from clients that are no pages, and from pages of the own site as a rule.
  ///   - host: what the request says that it asks.
  ///   - site: what a browser says of a page that shows no origin, as for an image or a link (`Sec-Fetch-Site`, W3C Fetch
  ///     Metadata section 2.3).
  public func judge(origin: String?, host: String?, site: String? = nil) -> Verdict {
    guard let origin else { return site.map(OriginPolicy.isForeign) == true && !allowsAll ? .refused : .own }
    if allowsAll { return .allowed("*") }
    let asked = origin.lowercased()
    if let host, let slashes = asked.firstRange(of: "://"), asked[slashes.upperBound...] == host.lowercased()
    {
      return .own
    }
    return patterns.contains { $0.matches(asked) } ? .allowed(origin) : .refused
  }

  private static func isForeign(_ site: String) -> Bool { site == "cross-site" || site == "same-site" }

  fileprivate static func isPlain(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
      || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
  }

  /// Of a port, or of an IPv6 address.
  fileprivate static func isOfAddress(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ":") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
      || byte == UInt8(ascii: "_")
  }
}
