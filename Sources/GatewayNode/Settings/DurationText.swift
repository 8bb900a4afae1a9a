internal import NIOCore

/// Durations as a person writes them: `30s`, `500ms`, `1h`, `1m30s`.
enum DurationText {
  private static let units: [(name: String, length: TimeAmount)] = [
    ("d", .hours(24)), ("h", .hours(1)), ("m", .minutes(1)), ("s", .seconds(1)), ("ms", .milliseconds(1)),
  ]

  /// Nil for what is no duration; a number needs its unit, except 0.
  static func read(_ text: String) -> TimeAmount? {
    if text == "0" { return .zero }
    var rest = text[...]
    var total = TimeAmount.zero
    var smallest = Int64.max
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      rest = rest.dropFirst(digits.count)
      let letters = rest.prefix { $0.isLetter }
      rest = rest.dropFirst(letters.count)
      guard digits.count <= 12, let number = Int64(digits),
        let unit = units.first(where: { $0.name == letters }), unit.length.nanoseconds < smallest
      else { return nil }
      smallest = unit.length.nanoseconds
      let (part, isTooLong) = number.multipliedReportingOverflow(by: smallest)
      let (sum, isTooMuch) = total.nanoseconds.addingReportingOverflow(part)
      guard !isTooLong, !isTooMuch else { return nil }
      total = .nanoseconds(sum)
    }
    return text.isEmpty ? nil : total
  }

  /// In the largest unit that is exact.
  static func write(_ amount: TimeAmount) -> String {
    guard amount != .zero else { return "0s" }
    for unit in units where unit.name != "d" && amount.nanoseconds % unit.length.nanoseconds == 0 {
      return "\(amount.nanoseconds / unit.length.nanoseconds)\(unit.name)"
    }
    return "\(amount.nanoseconds)ns"
  }
}
