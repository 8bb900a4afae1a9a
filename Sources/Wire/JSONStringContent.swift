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

  /// Whether it is `name`, which is of ASCII without escapes. Reads no further than the first difference.
  func isEqual(to name: UnsafeRawBufferPointer) -> Bool {
    // An escape is longer than what it stands for.
    guard bytes.count > name.count else { return bytes.elementsEqual(name) }
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
      guard let digit = rest.popFirst().flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
        return nil
      }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}
