import NIOCore

/// Entity tags (RFC 9110 sections 8.8.3 and 13.1.2).
enum EntityTag {
  /// The strong tag of a body: its bytes by 64-bit FNV-1a.
  static func of(_ body: ByteBuffer) -> String {
    let hash = body.readableBytesView.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
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
