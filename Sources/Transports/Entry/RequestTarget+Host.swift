extension RequestTarget {
  /// Whether the value of a `Host` header has the form `uri-host [":" port]` (RFC 9112 section 3.2). Empty is allowed.
  static func isHost(_ value: String) -> Bool {
    var bytes = value.utf8[...]
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    if bytes.first == UInt8(ascii: "[") {
      bytes.removeFirst()
      guard let end = bytes.firstIndex(of: UInt8(ascii: "]")), end > bytes.startIndex,
        bytes[..<end].allSatisfy(self.isOfAddress)
      else { return false }
      bytes = bytes[end...].dropFirst()
    } else {
      bytes = bytes.drop(while: self.isOfName)
    }
    guard let colon = bytes.popFirst() else { return true }
    return colon == UInt8(ascii: ":") && bytes.allSatisfy { (0x30...0x39).contains($0) }
  }

  /// `reg-name` of RFC 3986 section 3.2.2, without the comma: two names with one between are two hosts.
  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "%"): true
    case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&")...UInt8(ascii: "+"): true
    case UInt8(ascii: ";"), UInt8(ascii: "="): true
    default: false
    }
  }

  /// What stands between the brackets of an IPv6 address.
  private static func isOfAddress(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x46, 0x61...0x66, UInt8(ascii: ":"), UInt8(ascii: "."): true
    default: false
    }
  }
}
