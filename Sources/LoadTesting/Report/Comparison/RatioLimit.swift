/// By how much something may get worse, as a person writes it.
public enum RatioLimit {
  /// `1.2`, `1.2x`, `1.2×` or `20%`; nil for anything else, and for less than 1.
  public static func parse(_ text: String) -> Double? {
    let ratio: Double?
    if text.hasSuffix("%") {
      ratio = Double(text.dropLast()).map { 1 + $0 / 100 }
    } else {
      ratio = Double(text.hasSuffix("x") || text.hasSuffix("×") ? String(text.dropLast()) : text)
    }
    guard let ratio, ratio.isFinite, ratio >= 1 else { return nil }
    return ratio
  }
}
