internal import NIOCore

/// Where a listener is bound.
public struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A name or an address, without brackets.
  public var host: String
  /// 0 takes any free one.
  public var port: Int

  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// `HOST:PORT`, an IPv6 address in brackets.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard (1...5).contains(digits.count), digits.allSatisfy({ $0.isASCII && $0.isNumber }),
      let port = Int(digits), port <= 65_535
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard (try? SocketAddress(ipAddress: String(host), port: 0))?.protocol == .inet6 else { return nil }
    } else {
      guard ListenAddress.isName(host) else { return nil }
    }
    self.init(host: String(host), port: port)
  }

  /// Where a listener was bound.
  init(_ bound: SocketAddress) {
    self.init(host: bound.ipAddress ?? "", port: bound.port ?? 0)
  }

  /// Nobody but this machine can reach it.
  public var isLoopback: Bool {
    host == "localhost" || AddressRange.loopback.contains { $0.contains(host) }
  }

  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  private static func isName(_ host: Substring) -> Bool {
    !host.isEmpty && host.utf8.count <= 253
      && host.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
          true
        default: false
        }
      }
  }
}
