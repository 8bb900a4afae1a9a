/// A part of the clients that reads slowly: `10%@2KB/s`.
public struct SlowShare: Sendable, Equatable, CustomStringConvertible {
  /// 0 to 1.
  public var share: Double
  public var bytesPerSecond: Int

  public init(share: Double, bytesPerSecond: Int) {
    self.share = share
    self.bytesPerSecond = bytesPerSecond
  }

  /// `PERCENT%@RATE`, the rate in `B/s`, `KB/s` or `MB/s`. Nil when `text` is something else.
  public init?(_ text: String) {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, let share = Share(parts[0]) else { return nil }
    let units = [("MB/s", 1_000_000.0), ("KB/s", 1_000.0), ("B/s", 1.0)]
    guard let unit = units.first(where: { parts[1].hasSuffix($0.0) }),
      let number = Double(parts[1].dropLast(unit.0.count)), number * unit.1 >= 1, number * unit.1 < 1e12
    else { return nil }
    self.init(share: share.value, bytesPerSecond: Int(number * unit.1))
  }

  public var description: String {
    let rate = bytesPerSecond % 1_000 == 0 ? "\(bytesPerSecond / 1_000)KB/s" : "\(bytesPerSecond)B/s"
    return "\(Share(value: share))@\(rate)"
  }
}

/// A part of a whole, as a person writes it: `10%`, or `0.1`.
public struct Share: Sendable, Equatable, CustomStringConvertible {
  /// 0 to 1.
  public var value: Double

  public init(value: Double) {
    self.value = value
  }

  public init?(_ text: some StringProtocol) {
    let isPercent = text.hasSuffix("%")
    guard let number = Double(isPercent ? String(text.dropLast()) : String(text)) else { return nil }
    value = isPercent ? number / 100 : number
    guard (0...1).contains(value) else { return nil }
  }

  public var description: String {
    let percent = (value * 100_000).rounded() / 1_000
    return percent == percent.rounded() ? "\(Int(percent))%" : "\(percent)%"
  }
}
