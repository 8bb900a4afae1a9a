/// base64url without padding (RFC 4648 section 5, RFC 7515 section 2), strictly: one text for each run of bytes.
public enum Base64URL {
  /// Nil for another character, an impossible length, or bits left over that are not zero.
  public static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count * 3 / 4)
    var bits: UInt32 = 0
    var count = 0
    for character in text {
      guard let value = value(of: character) else { return nil }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
      bits &= (1 << UInt32(count)) - 1
    }
    return bits == 0 ? bytes : nil
  }

  public static func encode(_ bytes: some Collection<UInt8>) -> String {
    let alphabet = alphabet
    return String(unsafeUninitializedCapacity: (bytes.count * 8 + 5) / 6) { text in
      var end = 0
      var bits: UInt32 = 0
      var count = 0
      for byte in bytes {
        bits = bits << 8 | UInt32(byte)
        count += 8
        while count >= 6 {
          count -= 6
          text[end] = alphabet[Int(bits >> UInt32(count) & 63)]
          end += 1
        }
      }
      guard count > 0 else { return end }
      text[end] = alphabet[Int(bits << UInt32(6 - count) & 63)]
      return end + 1
    }
  }

  /// Whether a text may have this character.
  static func has(_ character: UInt8) -> Bool { value(of: character) != nil }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  private static func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
