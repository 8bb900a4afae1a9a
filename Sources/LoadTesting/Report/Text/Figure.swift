/// Numbers as a person reads them: three digits that count, and a unit.
enum Figure {
  /// `1,234,567`
  static func count(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var text = number < 0 ? "-" : ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// `1,234/s`; below ten with one decimal.
  static func rate(_ perSecond: Double) -> String { "\(amount(perSecond))/s" }

  /// `1,234`, and below ten with one decimal.
  static func amount(_ number: Double) -> String {
    guard number.isFinite else { return "-" }
    let tenths = (number * 10).rounded()
    return abs(tenths) < 100 && !tenths.truncatingRemainder(dividingBy: 10).isZero
      ? fixed(number, 1) : count(Int(clamping: number))
  }

  /// Of microseconds: `840 µs`, `1.24 ms`, `12.4 s`.
  static func time(_ microseconds: Int) -> String { time(Double(microseconds)) }

  static func time(_ microseconds: Double) -> String {
    let size = abs(microseconds)
    if size < 999.5 { return size < 10 ? "\(trimmed(microseconds, 1)) µs" : "\(fixed(microseconds, 0)) µs" }
    if size < 999_500 { return "\(significant(microseconds / 1_000)) ms" }
    if size < 60_000_000 { return "\(significant(microseconds / 1_000_000)) s" }
    return duration(microseconds / 1_000_000)
  }

  /// Of seconds: `4.2 s`, `1 min 05 s`, `2 h 03 min`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return "-" }
    if abs(seconds) < 59.95 { return "\(trimmed(seconds, 1)) s" }
    let whole = Int(clamping: seconds)
    if whole < 3_600 { return "\(whole / 60) min \(padded(whole % 60)) s" }
    return "\(whole / 3_600) h \(padded(whole % 3_600 / 60)) min"
  }

  /// Of seconds, on a clock: `0:07`, `1:02:03`.
  static func clock(_ seconds: Double) -> String {
    let whole = Int(clamping: abs(seconds))
    let sign = seconds < 0 && whole > 0 ? "-" : ""
    let rest = "\(padded(whole % 60))"
    if whole < 3_600 { return "\(sign)\(whole / 60):\(rest)" }
    return "\(sign)\(whole / 3_600):\(padded(whole % 3_600 / 60)):\(rest)"
  }

  /// `5.1 KiB`
  static func bytes(_ bytes: Double) -> String {
    var amount = bytes
    for unit in ["B", "KiB", "MiB", "GiB"] {
      if abs(amount) < 1_023.5 {
        return unit == "B" ? "\(fixed(amount, 0)) B" : "\(significant(amount)) \(unit)"
      }
      amount /= 1_024
    }
    return "\(significant(amount)) TiB"
  }

  static func bytes(_ bytes: Int) -> String { self.bytes(Double(bytes)) }

  /// Cores in use: `0.84`.
  static func cores(_ cores: Double) -> String { fixed(cores, 2) }

  /// `1.20×`
  static func ratio(_ ratio: Double) -> String {
    ratio < 99.5 ? "\(fixed(ratio, 2))×" : "\(amount(ratio))×"
  }

  /// Three digits that count: `1.24`, `12.4`, `124`.
  static func significant(_ number: Double) -> String {
    let size = abs(number)
    return fixed(number, size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
  }

  /// With so many decimals.
  static func fixed(_ number: Double, _ decimals: Int) -> String {
    guard number.isFinite else { return "-" }
    var scale = 1
    for _ in 0..<decimals { scale *= 10 }
    let scaled = Int(clamping: abs(number) * Double(scale))
    let sign = number < 0 && scaled > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(count(scaled))" }
    let rest = String(scaled % scale)
    return "\(sign)\(count(scaled / scale)).\(String(repeating: "0", count: decimals - rest.count))\(rest)"
  }

  /// With at most so many decimals, and none of them in vain.
  static func trimmed(_ number: Double, _ decimals: Int) -> String {
    var text = fixed(number, decimals)
    guard text.contains(".") else { return text }
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension Int {
  /// The nearest whole number that there is.
  init(clamping number: Double) {
    self = number.isNaN ? 0 : Int(exactly: number.rounded()) ?? (number < 0 ? .min + 1 : .max)
  }
}
