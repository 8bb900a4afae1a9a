public import NIOCore

/// Where to connect, and how the socket behaves.
public struct Endpoint: Sendable, Hashable {
  /// A name or an IP address.
  public var host: String
  public var port: Int
  /// The local IP address to connect from; nil lets the system choose. Each has its own 28,000 or so ports, and
  /// to the server each is another client.
  public var sourceAddress: String?
  /// Bytes per second that are read, at the most: a slow client. Nil reads what comes. It also keeps the kernel's
  /// receive buffer small, which would hide the slowness from the server.
  public var readRate: Int?
  public var connectTimeout = TimeAmount.seconds(10)

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// The value of the `Host` header.
  var authority: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
