import NIOCore

/// Entity tags (RFC 9110 sections 8.8.3 and 13.1.2).
enum EntityTag {
  /// The strong tag of a body: its bytes, eight at a time, by a hash after the manner of 64-bit FNV-1a. A page of a
  /// log may be a mebibyte, and its loop has others to serve meanwhile.
  static func of(_ body: ByteBuffer) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    body.withUnsafeReadableBytes { bytes in
      var index = 0
      while index + 8 <= bytes.count {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        hash = (hash ^ UInt64(littleEndian: word)) &* 0x0000_0100_0000_01b3
        // Multiplied, a bit acts on those above it only.
        hash ^= hash >> 32
        index += 8
      }
      while index < bytes.count {
        hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01b3
        index += 1
      }
    }
    return "\"\(String(hash, radix: 36))\""
  }

  /// Whether one of the tags of `If-None-Match` is `tag`, by weak comparison; `*` alone is any.
  /// - Parameter fields: the fields as they came, not split at their commas, which may stand inside a tag.
  static func matches(_ tag: String, ifNoneMatch fields: [String]) -> Bool {
    // Several fields of one name are one list (RFC 9110 section 5.3).
    var rest = Substring(fields.joined(separator: ","))
    skipSpace(&rest)
    if rest.first == "*" {
      rest.removeFirst()
      skipSpace(&rest)
      return rest.isEmpty
    }
    let wanted = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
    while true {
      while rest.first == "," {
        rest.removeFirst()
        skipSpace(&rest)
      }
      guard let opaque = takeTag(&rest) else { return false }
      if opaque == wanted { return true }
      guard rest.isEmpty || rest.first == "," else { return false }
    }
  }

  /// The next tag of a list with its quotes, without its weakness; nil at the end, and before what is none.
  private static func takeTag(_ list: inout Substring) -> Substring? {
    if list.hasPrefix("W/") { list.removeFirst(2) }
    guard list.first == "\"", let end = list.dropFirst().firstIndex(of: "\"") else { return nil }
    defer {
      list = list[list.index(after: end)...]
      skipSpace(&list)
    }
    return list[...end]
  }

  private static func skipSpace(_ text: inout Substring) {
    text = text.drop { $0 == " " || $0 == "\t" }
  }
}
