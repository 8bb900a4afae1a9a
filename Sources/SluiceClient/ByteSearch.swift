#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension UnsafeRawBufferPointer {
  /// Where `byte` first stands at or after `start`.
  func offset(of byte: UInt8, from start: Int = 0) -> Int? {
    guard start < count, let base = baseAddress, let found = memchr(base + start, Int32(byte), count - start)
    else { return nil }
    return UnsafeRawPointer(found) - base
  }

  /// Whether `text` stands at `start`.
  func holds(_ text: StaticString, at start: Int) -> Bool {
    let length = text.utf8CodeUnitCount
    guard start >= 0, start + length <= count, let base = baseAddress else { return false }
    return memcmp(base + start, text.utf8Start, length) == 0
  }

  /// Whether these bytes stand at `start`.
  func holds(_ bytes: UnsafeRawBufferPointer, at start: Int) -> Bool {
    guard start + bytes.count <= count, let base = baseAddress, let other = bytes.baseAddress else {
      return false
    }
    return memcmp(base + start, other, bytes.count) == 0
  }
}
