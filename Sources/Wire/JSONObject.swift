public import NIOCore

/// The members of one JSON object, decoded only where they are asked for.
public struct JSONObject {
  private let text: ByteBuffer
  private let members: [(key: JSONSlice, value: JSONSlice)]

  /// Throws unless the readable bytes are exactly one JSON object.
  public init(_ text: ByteBuffer) throws(JSONError) {
    self.text = text
    members = try JSONScanner.members(of: text)
  }

  /// The last member of that name.
  public subscript(name: StaticString) -> JSONField? {
    for member in members.reversed() where JSONField(text, member.key).isString(name) {
      return JSONField(text, member.value)
    }
    return nil
  }
}

/// One value of a JSON text.
public struct JSONField {
  private let text: ByteBuffer
  private let slice: JSONSlice

  public init(_ text: ByteBuffer, _ slice: JSONSlice) {
    self.text = text
    self.slice = slice
  }

  public var kind: JSONSlice.Kind { slice.kind }

  /// The value's own text. It shares the storage of the text it stands in.
  public var bytes: ByteBuffer {
    text.getSlice(at: text.readerIndex + slice.range.lowerBound, length: slice.range.count)!
  }

  /// The string that the value is, escapes resolved; a lone surrogate becomes U+FFFD.
  public var string: String? {
    guard slice.kind == .string else { return nil }
    return withContent { content in
      content.contains(UInt8(ascii: "\\")) ? nil : String(decoding: content, as: UTF8.self)
    } ?? unescaped
  }

  /// The whole number that the value is, where it fits; `5.0` is one too, up to 2^53.
  public var integer: Int64? {
    guard slice.kind == .number else { return nil }
    let text = String(buffer: bytes)
    if let number = Int64(text) { return number }
    guard let number = Double(text), number.magnitude <= 0x1p53 else { return nil }
    return Int64(exactly: number)
  }

  /// The number that the value is, also one with decimals.
  public var number: Double? {
    slice.kind == .number ? Double(String(buffer: bytes)) : nil
  }

  public var bool: Bool? {
    guard slice.kind == .literal else { return nil }
    return switch bytes.readableBytesView.first {
    case UInt8(ascii: "t"): true
    case UInt8(ascii: "f"): false
    default: nil
    }
  }

  public var isNull: Bool {
    slice.kind == .literal && bytes.readableBytesView.first == UInt8(ascii: "n")
  }

  /// The elements of the array that the value is.
  public var elements: [JSONField]? {
    guard slice.kind == .array, let slices = try? JSONScanner.elements(of: bytes) else { return nil }
    let text = bytes
    return slices.map { JSONField(text, $0) }
  }

  /// The object that the value is.
  public var object: JSONObject? {
    slice.kind == .object ? try? JSONObject(bytes) : nil
  }

  /// An escape is never shorter than what it stands for.
  func isString(_ name: StaticString) -> Bool {
    withContent { content in
      guard content.count >= name.utf8CodeUnitCount else { return false }
      if content.contains(UInt8(ascii: "\\")) { return nil }
      return name.withUTF8Buffer { content.elementsEqual($0) }
    } ?? (unescaped == name.description)
  }

  /// What stands between the quotes.
  private func withContent<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    text.withUnsafeReadableBytes { bytes in
      body(UnsafeRawBufferPointer(rebasing: bytes[slice.range].dropFirst().dropLast()))
    }
  }

  private var unescaped: String {
    var units: [UInt16] = []
    var text = withContent { String(decoding: $0, as: UTF8.self) }[...]
    while let escape = text.firstIndex(of: "\\") {
      units += text[..<escape].utf16
      text = text[text.index(after: escape)...]
      let kind = text.unicodeScalars.removeFirst()
      switch kind {
      case "b": units.append(0x08)
      case "f": units.append(0x0c)
      case "n": units.append(0x0a)
      case "r": units.append(0x0d)
      case "t": units.append(0x09)
      case "u":
        units.append(UInt16(text.unicodeScalars.prefix(4).map(String.init).joined(), radix: 16)!)
        text.unicodeScalars.removeFirst(4)
      default: units += String(kind).utf16
      }
    }
    units += text.utf16
    return String(decoding: units, as: UTF16.self)
  }
}
