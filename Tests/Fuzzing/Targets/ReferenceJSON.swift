/// RFC 8259, written down as plainly as can be, to be compared with the scanner that is fast.
struct ReferenceJSON {
  private let bytes: [UInt8]
  private var position = 0

  static func isValue(_ bytes: some Sequence<UInt8>) -> Bool {
    var reference = ReferenceJSON(bytes: Array(bytes))
    guard reference.value(depth: 0) else { return false }
    reference.space()
    return reference.position == reference.bytes.count
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func value(depth: Int) -> Bool {
    space()
    switch peek {
    case "{":
      return depth < 64 && items(until: "}") { $0.string() && $0.take(":") && $0.value(depth: depth + 1) }
    case "[": return depth < 64 && items(until: "]") { $0.value(depth: depth + 1) }
    case "\"": return string()
    case "t": return word("true")
    case "f": return word("false")
    case "n": return word("null")
    default: return number()
    }
  }

  private mutating func items(until end: Unicode.Scalar, _ item: (inout ReferenceJSON) -> Bool) -> Bool {
    position += 1
    if take(end) { return true }
    repeat {
      guard item(&self) else { return false }
    } while take(",")
    return take(end)
  }

  private mutating func string() -> Bool {
    space()
    guard peek == "\"" else { return false }
    position += 1
    let start = position
    while let scalar = peek, scalar != "\"" {
      guard scalar.value >= 0x20 else { return false }
      position += 1
      guard scalar == "\\" else { continue }
      guard let escape = peek else { return false }
      position += 1
      switch escape {
      case "\"", "\\", "/", "b", "f", "n", "r", "t": break
      case "u":
        guard position + 4 <= bytes.count,
          bytes[position..<(position + 4)].allSatisfy({
            Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80
          })
        else { return false }
        position += 4
      default: return false
      }
    }
    guard peek == "\"" else { return false }
    defer { position += 1 }
    return String(validating: bytes[start..<position], as: UTF8.self) != nil
  }

  private mutating func number() -> Bool {
    if peek == "-" { position += 1 }
    if peek == "0" { position += 1 } else if !digits() { return false }
    if peek == "." {
      position += 1
      if !digits() { return false }
    }
    if peek == "e" || peek == "E" {
      position += 1
      if peek == "+" || peek == "-" { position += 1 }
      if !digits() { return false }
    }
    return true
  }

  private mutating func digits() -> Bool {
    let start = position
    while let scalar = peek, ("0"..."9").contains(scalar) { position += 1 }
    return position > start
  }

  private mutating func word(_ word: String) -> Bool {
    guard bytes[position...].starts(with: word.utf8) else { return false }
    position += word.utf8.count
    return true
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    space()
    guard peek == scalar else { return false }
    position += 1
    return true
  }

  private mutating func space() {
    while let scalar = peek, " \n\r\t".unicodeScalars.contains(scalar) { position += 1 }
  }

  private var peek: Unicode.Scalar? {
    position < bytes.count ? Unicode.Scalar(bytes[position]) : nil
  }
}
