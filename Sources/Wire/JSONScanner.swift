public import NIOCore

/// Why a text is not one JSON value (RFC 8259).
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: String, Sendable {
    case unexpectedEnd = "the text ends too early"
    case unexpectedByte = "an unexpected byte"
    case badString = "a string with a raw control character, a bad escape or bytes that are not UTF-8"
    case badNumber = "a malformed number"
    case tooDeep = "nested deeper than 64 levels"
    case trailingBytes = "more than one value"
    case notAnObject = "not an object"
  }

  public let reason: Reason
  /// Bytes from the start of the text.
  public let offset: Int

  public var description: String { "\(reason.rawValue) at byte \(offset)" }
}

/// Where a value stands in its text.
public struct JSONSlice: Equatable, Sendable {
  public enum Kind: Sendable {
    case object, array, string, number, literal
  }

  public let kind: Kind
  /// Bytes from the start of the text.
  public let range: Range<Int>
}

/// Validates JSON and yields slices of it; nothing is decoded into values.
///
/// Holds no more than a few words however deep or long the text is: nesting is a bit each, 64 levels at the most.
public struct JSONScanner: ~Copyable {
  static let maximumDepth = 64

  private let bytes: UnsafeRawBufferPointer
  private var position = 0

  private init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
  }

  /// Throws unless the readable bytes are exactly one JSON value.
  public static func validate(_ text: ByteBuffer) throws(JSONError) {
    try text.scanned { scanner throws(JSONError) in
      _ = try scanner.value()
      try scanner.end()
    }
  }

  /// The members of the one object that the readable bytes are; the whole text is validated.
  public static func members(of text: ByteBuffer) throws(JSONError) -> [(key: JSONSlice, value: JSONSlice)] {
    try text.scanned { scanner throws(JSONError) in
      let members = try scanner.members()
      try scanner.end()
      return members
    }
  }

  /// The elements of the one array that the readable bytes are; the whole text is validated.
  public static func elements(of text: ByteBuffer) throws(JSONError) -> [JSONSlice] {
    try text.scanned { scanner throws(JSONError) in
      let elements = try scanner.elements()
      try scanner.end()
      return elements
    }
  }

  fileprivate static func scanning<Result>(
    _ bytes: UnsafeRawBufferPointer,
    _ body: (inout JSONScanner) throws(JSONError) -> Result
  ) throws(JSONError) -> Result {
    var scanner = JSONScanner(bytes)
    return try body(&scanner)
  }

  private mutating func members() throws(JSONError) -> [(key: JSONSlice, value: JSONSlice)] {
    skipWhitespace()
    guard peek() == UInt8(ascii: "{") else {
      let start = position
      _ = try value()
      try end()
      position = start
      throw failure(.notAnObject)
    }
    position += 1
    var members: [(key: JSONSlice, value: JSONSlice)] = []
    skipWhitespace()
    if peek() == UInt8(ascii: "}") {
      position += 1
      return members
    }
    while true {
      skipWhitespace()
      let start = position
      try string()
      let key = JSONSlice(kind: .string, range: start..<position)
      try colon()
      members.append((key, try value()))
      skipWhitespace()
      switch try next() {
      case UInt8(ascii: ","): continue
      case UInt8(ascii: "}"): return members
      default: throw unexpected()
      }
    }
  }

  private mutating func elements() throws(JSONError) -> [JSONSlice] {
    skipWhitespace()
    guard try next() == UInt8(ascii: "[") else { throw unexpected() }
    var elements: [JSONSlice] = []
    skipWhitespace()
    if peek() == UInt8(ascii: "]") {
      position += 1
      return elements
    }
    while true {
      elements.append(try value())
      skipWhitespace()
      switch try next() {
      case UInt8(ascii: ","): continue
      case UInt8(ascii: "]"): return elements
      default: throw unexpected()
      }
    }
  }

  /// Passes over one value. `stack` has a bit for each open level: set for an object.
  private mutating func value() throws(JSONError) -> JSONSlice {
    skipWhitespace()
    let start = position
    var kind: JSONSlice.Kind?
    var stack: UInt64 = 0
    var depth = 0

    opening: while true {
      skipWhitespace()
      let byte = try next()
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        let isObject = byte == UInt8(ascii: "{")
        kind = kind ?? (isObject ? .object : .array)
        guard depth < JSONScanner.maximumDepth else { throw unexpected(.tooDeep) }
        depth += 1
        stack = stack << 1 | (isObject ? 1 : 0)
        skipWhitespace()
        if peek() != (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
          if isObject { try key() }
          continue opening
        }
      case UInt8(ascii: "\""):
        kind = kind ?? .string
        position -= 1
        try string()
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        kind = kind ?? .number
        position -= 1
        try number()
      case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
        kind = kind ?? .literal
        try literal(byte == UInt8(ascii: "t") ? "rue" : byte == UInt8(ascii: "f") ? "alse" : "ull")
      default: throw unexpected()
      }

      while depth > 0 {
        skipWhitespace()
        let isObject = stack & 1 == 1
        switch try next() {
        case UInt8(ascii: ","):
          if isObject { try key() }
          continue opening
        case UInt8(ascii: "}") where isObject, UInt8(ascii: "]") where !isObject:
          depth -= 1
          stack >>= 1
        default: throw unexpected()
        }
      }
      return JSONSlice(kind: kind!, range: start..<position)
    }
  }

  private mutating func key() throws(JSONError) {
    skipWhitespace()
    try string()
    try colon()
  }

  private mutating func colon() throws(JSONError) {
    skipWhitespace()
    guard try next() == UInt8(ascii: ":") else { throw unexpected() }
  }

  private mutating func string() throws(JSONError) {
    let start = position
    guard try next() == UInt8(ascii: "\"") else { throw unexpected() }
    var isASCII = true
    while true {
      switch try next() {
      case UInt8(ascii: "\""):
        if !isASCII { try validateUTF8(start..<position) }
        return
      case UInt8(ascii: "\\"):
        switch try next() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
          UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
          break
        case UInt8(ascii: "u"):
          for _ in 0..<4 where !(try next()).isHexDigit { throw unexpected(.badString) }
        default: throw unexpected(.badString)
        }
      case 0x00..<0x20: throw unexpected(.badString)
      case 0x80...: isASCII = false
      default: break
      }
    }
  }

  private func validateUTF8(_ range: Range<Int>) throws(JSONError) {
    let text = UnsafeRawBufferPointer(rebasing: bytes[range]).assumingMemoryBound(to: UInt8.self)
    do {
      _ = try UTF8Span(validating: Span(_unsafeElements: text))
    } catch {
      throw JSONError(reason: .badString, offset: range.lowerBound)
    }
  }

  private mutating func number() throws(JSONError) {
    if peek() == UInt8(ascii: "-") { position += 1 }
    if peek() == UInt8(ascii: "0") { position += 1 } else { try digits() }
    if peek() == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
      position += 1
      if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
  }

  private mutating func digits() throws(JSONError) {
    let start = position
    while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw failure(.badNumber) }
  }

  private mutating func literal(_ rest: StaticString) throws(JSONError) {
    for index in 0..<rest.utf8CodeUnitCount where try next() != rest.utf8Start[index] {
      throw unexpected()
    }
  }

  private mutating func end() throws(JSONError) {
    skipWhitespace()
    guard position == bytes.count else { throw failure(.trailingBytes) }
  }

  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position += 1
      default: return
      }
    }
  }

  private func peek() -> UInt8? {
    position < bytes.count ? bytes[position] : nil
  }

  private mutating func next() throws(JSONError) -> UInt8 {
    guard position < bytes.count else { throw failure(.unexpectedEnd) }
    position += 1
    return bytes[position - 1]
  }

  /// About the byte at hand.
  private func failure(_ reason: JSONError.Reason) -> JSONError {
    JSONError(reason: reason, offset: position)
  }

  /// About the byte just taken.
  private func unexpected(_ reason: JSONError.Reason = .unexpectedByte) -> JSONError {
    JSONError(reason: reason, offset: position - 1)
  }
}

extension UInt8 {
  fileprivate var isHexDigit: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }
}

extension ByteBuffer {
  fileprivate func scanned<Result>(
    _ body: (inout JSONScanner) throws(JSONError) -> Result
  ) throws(JSONError) -> Result {
    let outcome = withUnsafeReadableBytes { bytes in
      Swift.Result { () throws(JSONError) -> Result in try JSONScanner.scanning(bytes, body) }
    }
    return try outcome.get()
  }
}
