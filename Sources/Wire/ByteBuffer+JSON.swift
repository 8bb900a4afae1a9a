public import NIOCore

extension ByteBuffer {
  /// Writes `text` as a JSON string: quotes, backslashes and control characters escaped.
  public mutating func writeJSONString(_ text: some StringProtocol) {
    let isPlain = text.utf8.withContiguousStorageIfAvailable { bytes in
      guard !bytes.contains(where: Self.isEscaped) else { return false }
      writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + 2) { room in
        room[0] = UInt8(ascii: "\"")
        UnsafeMutableRawBufferPointer(rebasing: room[1...]).copyMemory(from: UnsafeRawBufferPointer(bytes))
        room[bytes.count + 1] = UInt8(ascii: "\"")
        return bytes.count + 2
      }
      return true
    }
    if isPlain != true { writeEscapedJSONString(text) }
  }

  private static func isEscaped(_ byte: UInt8) -> Bool {
    byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
  }

  private mutating func writeEscapedJSONString(_ text: some StringProtocol) {
    writeInteger(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): writeStaticString("\\\"")
      case UInt8(ascii: "\\"): writeStaticString("\\\\")
      case 0x0a: writeStaticString("\\n")
      case 0x0d: writeStaticString("\\r")
      case 0x09: writeStaticString("\\t")
      case 0x00..<0x20:
        writeStaticString("\\u00")
        let digits = Array("0123456789abcdef".utf8)
        writeInteger(digits[Int(byte >> 4)])
        writeInteger(digits[Int(byte & 15)])
      default: writeInteger(byte)
      }
    }
    writeInteger(UInt8(ascii: "\""))
  }

  /// Writes a number in decimal digits.
  public mutating func writeDecimal(_ number: some FixedWidthInteger) {
    if number < 0 { writeInteger(UInt8(ascii: "-")) }
    var rest = UInt64(number.magnitude)
    var digits: (UInt64, UInt64, UInt64) = (0, 0, 0)
    withUnsafeMutableBytes(of: &digits) { room in
      var start = room.count
      repeat {
        start -= 1
        room[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      _ = writeBytes(UnsafeRawBufferPointer(rebasing: room[start...]))
    }
  }

  /// Writes a cursor's text.
  public mutating func writeCursor(_ cursor: Cursor) {
    writeInteger(cursor.epoch.bytes)
    writeInteger(UInt8(ascii: "."))
    writeDecimal(cursor.offset)
  }

  /// Writes `channel@epoch.offset`.
  public mutating func writePosition(_ channel: ChannelName, _ cursor: Cursor) {
    writeString(channel.text)
    writeInteger(UInt8(ascii: "@"))
    writeCursor(cursor)
  }

  /// Line breaks in a JSON text stand only between tokens; as spaces they mean the same and fit in one line.
  public mutating func replaceLineBreaks() {
    withUnsafeMutableReadableBytes { bytes in
      for index in bytes.indices where bytes[index] == 0x0a || bytes[index] == 0x0d {
        bytes[index] = 0x20
      }
    }
  }
}
