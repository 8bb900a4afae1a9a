/// Local addresses to connect from. Each has ports for about 28,000 connections to one target, but long before that
/// the system seeks for a free one: of 9,000 from one address, those that came anew cost a fifth of two cores.
public struct SourceAddresses: Sendable, Equatable, CustomStringConvertible {
  /// Connections to one target that leave most of an address's ports free.
  public static let perAddress = 500
  private static let most = 100_000

  public let addresses: [String]

  public init(_ addresses: [String] = []) {
    self.addresses = addresses
  }

  /// Addresses and ranges of IPv4 addresses, `127.0.0.2-127.0.0.20,127.0.1.1`. Nil when `text` is no such list.
  public init?(_ text: String) {
    var addresses: [String] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false)
      guard let first = SourceAddresses.number(ends[0]), let last = SourceAddresses.number(ends.last!),
        ends.count <= 2, first <= last, Int(last - first) < SourceAddresses.most - addresses.count
      else { return nil }
      addresses += (first...last).map(SourceAddresses.text)
    }
    self.addresses = addresses
  }

  /// As many addresses of 127.0.0.0/8 as so many connections to one target need; none where one is enough.
  public static func loopback(for connections: Int) -> SourceAddresses {
    let count = (connections + perAddress - 1) / perAddress
    guard count > 1 else { return SourceAddresses() }
    let first = number("127.0.0.2")!
    return SourceAddresses((0..<UInt32(count)).map { text(first + $0) })
  }

  public var description: String {
    guard let first = addresses.first, let last = addresses.last else { return "system" }
    return addresses.count == 1 ? first : "\(addresses.count) from \(first) to \(last)"
  }

  private static func number(_ text: some StringProtocol) -> UInt32? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    guard parts.count == 4 else { return nil }
    return parts.reduce(UInt32?(0)) { sum, part in
      guard let sum, let part else { return nil }
      return sum << 8 | UInt32(part)
    }
  }

  private static func text(_ number: UInt32) -> String {
    [24, 16, 8, 0].map { String(number >> $0 & 255) }.joined(separator: ".")
  }
}
