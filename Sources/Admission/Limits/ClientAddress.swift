public import NIOCore

/// Whose connections are counted together: an IPv4 address, or the /64 of an IPv6 address, which is what one customer
/// has of a provider.
public struct ClientAddress: Hashable, Sendable {
  /// The upper half of an IPv6 address; for IPv4, also in the form `::ffff:a.b.c.d`, what no /64 in use begins with.
  private let bits: UInt64

  /// Nil for what is no IP address.
  public init?(_ address: SocketAddress) {
    switch address {
    case .v4(let address):
      // sockaddr_in: family, port, then four bytes of address.
      bits = withUnsafeBytes(of: address.address) { ClientAddress.v4($0[4..<8]) }
    case .v6(let address):
      // sockaddr_in6: family, port, flow, then sixteen bytes of address.
      bits = withUnsafeBytes(of: address.address) { bytes in
        let isMapped = bytes[8..<18].allSatisfy { $0 == 0 } && bytes[18] == 0xff && bytes[19] == 0xff
        return isMapped
          ? ClientAddress.v4(bytes[20..<24]) : bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
      }
    case .unixDomainSocket: return nil
    }
  }

  /// An address as a proxy writes it; nil for what is none.
  public init?(_ text: some StringProtocol) {
    guard let address = try? SocketAddress(ipAddress: String(text), port: 0) else { return nil }
    self.init(address)
  }

  private static func v4(_ bytes: some Sequence<UInt8>) -> UInt64 {
    bytes.reduce(0x0000_ffff) { $0 << 8 | UInt64($1) }
  }
}
