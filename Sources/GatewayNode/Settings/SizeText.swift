/// Sizes as a person writes them: `4096`, `64KiB`, `1MiB`, `10MB`.
enum SizeText {
  private static let units: [(name: String, bytes: Int)] = [
    ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000),
    ("kB", 1_000), ("B", 1), ("", 1),
  ]

  /// Bytes; nil for what is no size.
  static func read(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard digits.count <= 12, let number = Int(digits),
      let unit = units.first(where: { $0.name == text.dropFirst(digits.count) })
    else { return nil }
    let (bytes, isTooLarge) = number.multipliedReportingOverflow(by: unit.bytes)
    return isTooLarge ? nil : bytes
  }

  /// In the largest binary unit that is exact.
  static func write(_ bytes: Int) -> String {
    for unit in units where unit.name.hasSuffix("iB") && bytes > 0 && bytes % unit.bytes == 0 {
      return "\(bytes / unit.bytes)\(unit.name)"
    }
    return "\(bytes)B"
  }
}
