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
    let name = UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
    let place = text.withUnsafeReadableBytes { bytes in
      members.lastIndex { member in
        let key = UnsafeRawBufferPointer(rebasing: bytes[member.key.range].dropFirst().dropLast())
        return JSONStringContent(key).isEqual(to: name)
      }
    }
    return place.map { JSONField(text, members[$0].value) }
  }

  /// The name of the first member that has none of these names.
  public func name(besides known: StaticString...) -> String? {
    for member in members {
      guard let name = JSONField(text, member.key).string else { continue }
      if !known.contains(where: { "\($0)" == name }) { return name }
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
    return text.withUnsafeReadableBytes { bytes in
      JSONStringContent(UnsafeRawBufferPointer(rebasing: bytes[slice.range].dropFirst().dropLast())).string
    }
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
}
