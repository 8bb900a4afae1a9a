public import NIOCore
public import NIOHTTP1

/// A whole request, as a route's handler gets it.
public struct HTTPRequest: Sendable {
  /// `HEAD` where the route is a `GET`: answer as if it were one, the body is left out for you.
  public let method: HTTPMethod
  public let version: HTTPVersion
  public let headers: HTTPHeaders
  /// The path as it was sent.
  public let path: String
  public let parameters: PathParameters
  public let query: QueryParameters
  public let body: ByteBuffer
  /// The other end of the TCP connection; nil only where there is no socket.
  public let peer: SocketAddress?

  /// The last address of `X-Forwarded-For`, which is what the nearest proxy saw. To be believed only when ``peer`` is a
  /// proxy of ours.
  public var forwardedAddress: String? {
    self.headers[canonicalForm: "X-Forwarded-For"].last.map(String.init)
  }

  /// The token of `Authorization: Bearer` (RFC 6750 section 2.1).
  public var bearerToken: Substring? {
    guard let value = self.headers.first(name: "Authorization") else { return nil }
    let scheme = value.prefix { $0 != " " }
    guard scheme.lowercased() == "bearer" else { return nil }
    let token = value.dropFirst(scheme.count).drop { $0 == " " }
    return token.isEmpty ? nil : token
  }
}

/// What stood in the path where the route's pattern has a name in braces.
public struct PathParameters: Sendable, Equatable {
  private var names: [String] = []
  private var values: [String] = []

  public init() {}

  mutating func append(_ name: String, _ value: String) {
    self.names.append(name)
    self.values.append(value)
  }

  /// The decoded segment; nil only for a name that the pattern does not have.
  public subscript(name: String) -> String? {
    self.names.firstIndex(of: name).map { self.values[$0] }
  }
}
