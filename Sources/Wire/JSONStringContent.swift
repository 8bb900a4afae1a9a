/// What stands between the quotes of a JSON string that the scanner has let pass (RFC 8259 section 7).
///
/// Everything here goes byte by byte: what looks like one character to Unicode may hide a backslash in it.
struct JSONStringContent {
  private let bytes: UnsafeRawBufferPointer

  /// - Parameter bytes: valid for as long as this.
  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  private static let backslash = UInt8(ascii: "\\")

  /// Escapes resolved; a lone surrogate becomes U+FFFD.
  var string: String {
    guard bytes.contains(JSONStringContent.backslash) else { return String(decoding: bytes, as: UTF8.self) }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      guard byte == JSONStringContent.backslash else {
        decoded.append(byte)
        continue
      }
      decoded += String(JSONStringContent.takeEscape(from: &rest)).utf8
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// Whether it is `name`, which is of ASCII without escapes, and not empty. Reads no further than the first difference.
  func isEqual(to name: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > name.count else { return bytes.count == name.count && bytes.elementsEqual(name) }
    // What is longer can only be an escape, up to six times, and names mostly differ in their first byte.
    guard bytes[0] == name[0] || bytes[0] == JSONStringContent.backslash, bytes.count <= 6 * name.count else {
      return false
    }
    return isEqualEscaped(to: name)
  }

  @inline(never)
  private func isEqualEscaped(to name: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    for wanted in name {
      guard let byte = rest.popFirst() else { return false }
      let isWanted =
        byte == JSONStringContent.backslash
        ? JSONStringContent.takeEscape(from: &rest) == Unicode.Scalar(wanted) : byte == wanted
      guard isWanted else { return false }
    }
    return rest.isEmpty
  }

  /// What an escape stands for, of which the backslash has been taken.
  private static func takeEscape(from rest: inout Slice<UnsafeRawBufferPointer>) -> Unicode.Scalar {
    guard let kind = rest.popFirst() else { return "\u{fffd}" }
    switch kind {
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: return Unicode.Scalar(kind)
    }
    guard let first = takeUnit(from: &rest) else { return "\u{fffd}" }
    guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) ?? "\u{fffd}" }
    var next = rest
    guard next.popFirst() == backslash, next.popFirst() == UInt8(ascii: "u"),
      let second = takeUnit(from: &next), UTF16.isTrailSurrogate(second)
    else { return "\u{fffd}" }
    rest = next
    let scalar = 0x10000 + ((UInt32(first) & 0x3ff) << 10) + (UInt32(second) & 0x3ff)
    return Unicode.Scalar(scalar) ?? "\u{fffd}"
  }

  /// Four hexadecimal digits.
  private static func takeUnit(from rest: inout Slice<UnsafeRawBufferPointer>) -> UInt16? {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = rest.popFirst().flatMap(hexDigit) else { return nil }
      unit = unit << 4 | digit
    }
    return unit
  }

  private static func hexDigit(_ byte: UInt8) -> UInt16? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }
}
