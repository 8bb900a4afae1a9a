public import NIOCore

/// A block of IP addresses in CIDR notation. An IPv4 address is the same as its form in IPv6, `::ffff:a.b.c.d`.
public struct AddressRange: Sendable, Equatable, CustomStringConvertible {
  static let loopback = [AddressRange("127.0.0.0/8")!, AddressRange("::1")!]

  public let description: String
  private let network: UInt128
  private let mask: UInt128

  /// `ADDRESS` or `ADDRESS/PREFIX`; nil when it is neither.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = try? SocketAddress(ipAddress: String(parts[0]), port: 0),
      let bits = AddressRange.bits(of: address)
    else { return nil }
    let width = address.protocol == .inet ? 32 : 128
    var prefix = width
    if parts.count == 2 {
      guard (1...3).contains(parts[1].count), parts[1].allSatisfy({ $0.isASCII && $0.isNumber }),
        let given = Int(parts[1]), given <= width
      else { return nil }
      prefix = given
    }
    let free = width - prefix
    mask = free == 128 ? 0 : UInt128.max << UInt128(free)
    network = bits & mask
    description = text
  }

  public func contains(_ address: SocketAddress) -> Bool {
    AddressRange.bits(of: address).map { $0 & mask == network } ?? false
  }

  func contains(_ address: String) -> Bool {
    (try? SocketAddress(ipAddress: address, port: 0)).map { contains($0) } ?? false
  }

  public static func == (left: AddressRange, right: AddressRange) -> Bool {
    left.network == right.network && left.mask == right.mask
  }

  /// The address as 128 bits; nil for what is no IP address.
  private static func bits(of address: SocketAddress) -> UInt128? {
    switch address {
    case .v4(let address):
      // sockaddr_in: family, port, then four bytes of address.
      withUnsafeBytes(of: address.address) { bytes in
        bytes[4..<8].reduce(0xffff) { $0 << 8 | UInt128($1) }
      }
    case .v6(let address):
      // sockaddr_in6: family, port, flow, then sixteen bytes of address.
      withUnsafeBytes(of: address.address) { bytes in
        bytes[8..<24].reduce(0) { $0 << 8 | UInt128($1) }
      }
    case .unixDomainSocket: nil
    }
  }
}
