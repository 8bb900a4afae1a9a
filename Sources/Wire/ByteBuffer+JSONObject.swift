public import NIOCore

/// JSON objects, member by member: `openObject`, any number of `writeMember`, `closeObject`.
extension ByteBuffer {
  public mutating func openObject() {
    writeInteger(UInt8(ascii: "{"))
  }

  public mutating func closeObject() {
    writeInteger(UInt8(ascii: "}"))
  }

  public mutating func writeMember(_ name: StaticString, _ text: some StringProtocol) {
    writeMemberName(name)
    writeJSONString(text)
  }

  public mutating func writeMember(_ name: StaticString, _ text: StaticString) {
    writeMember(name, text.description)
  }

  public mutating func writeMember(_ name: StaticString, _ number: some FixedWidthInteger) {
    writeMemberName(name)
    writeDecimal(number)
  }

  public mutating func writeMember(_ name: StaticString, _ truth: Bool) {
    writeMemberName(name)
    writeStaticString(truth ? "true" : "false")
  }

  public mutating func writeMember(_ name: StaticString, _ cursor: Cursor) {
    writeMemberName(name)
    writeInteger(UInt8(ascii: "\""))
    writeCursor(cursor)
    writeInteger(UInt8(ascii: "\""))
  }

  /// A member whose value is JSON already.
  public mutating func writeMember(_ name: StaticString, _ json: ByteBuffer) {
    writeMemberName(name)
    writeImmutableBuffer(json)
  }

  /// A member whose value `write` appends.
  public mutating func writeMember(_ name: StaticString, _ write: (inout ByteBuffer) -> Void) {
    writeMemberName(name)
    write(&self)
  }

  /// A member whose value is an array, each element appended by `write`.
  public mutating func writeMember<Element>(
    _ name: StaticString,
    arrayOf elements: some Sequence<Element>,
    _ write: (inout ByteBuffer, Element) -> Void
  ) {
    writeMemberName(name)
    writeArray(of: elements, write)
  }

  /// An array, each element appended by `write`.
  public mutating func writeArray<Element>(
    of elements: some Sequence<Element>,
    _ write: (inout ByteBuffer, Element) -> Void
  ) {
    writeInteger(UInt8(ascii: "["))
    var isFirst = true
    for element in elements {
      if !isFirst { writeInteger(UInt8(ascii: ",")) }
      isFirst = false
      write(&self, element)
    }
    writeInteger(UInt8(ascii: "]"))
  }

  /// A value never ends in `{`, so what stands before says whether this is the first member.
  private mutating func writeMemberName(_ name: StaticString) {
    let isFirst = getInteger(at: writerIndex - 1, as: UInt8.self) == UInt8(ascii: "{")
    let count = name.utf8CodeUnitCount
    let text = UnsafeRawPointer(name.utf8Start)
    // In one piece: each write of its own asks whether the buffer is shared, and whether there is room.
    writeWithUnsafeMutableBytes(minimumWritableBytes: count + 4) { room in
      let start = isFirst ? 0 : 1
      if !isFirst { room[0] = UInt8(ascii: ",") }
      room[start] = UInt8(ascii: "\"")
      UnsafeMutableRawBufferPointer(rebasing: room[(start + 1)...])
        .copyMemory(from: UnsafeRawBufferPointer(start: text, count: count))
      room[start + 1 + count] = UInt8(ascii: "\"")
      room[start + 2 + count] = UInt8(ascii: ":")
      return start + 3 + count
    }
  }
}
