/// Room for the bytes of a head, filled from its start. There must be enough of it.
struct ResponseHeadBytes {
  private let room: UnsafeMutableRawBufferPointer
  private(set) var count = 0

  init(_ room: UnsafeMutableRawBufferPointer) {
    self.room = room
  }

  mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { self.append(UnsafeRawBufferPointer($0)) }
  }

  mutating func append(number: UInt) {
    self.append(value: String(number))
  }

  /// CR, LF and NUL become spaces (RFC 9110 section 5.5), so that no value can begin a field of its own.
  mutating func append(value: String) {
    var value = value
    value.withUTF8 { bytes in
      let start = self.count
      self.append(UnsafeRawBufferPointer(bytes))
      for index in start..<self.count where self.room[index] <= 0x0D {
        if [0x0D, 0x0A, 0x00].contains(self.room[index]) { self.room[index] = 0x20 }
      }
    }
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer) {
    UnsafeMutableRawBufferPointer(rebasing: self.room[self.count...]).copyMemory(from: bytes)
    self.count += bytes.count
  }
}
