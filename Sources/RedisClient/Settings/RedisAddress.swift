/// Where a server listens.
public struct RedisAddress: Sendable, Hashable, CustomStringConvertible {
  /// A name or an IP address, IPv6 without brackets.
  public var host: String
  public var port: Int

  public init(host: String, port: Int = 6379) {
    self.host = host
    self.port = port
  }

  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
