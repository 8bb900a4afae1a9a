#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The value of the `Date` header (RFC 9110 section 5.6.7), rendered once per second. One per event loop.
public final class HTTPDate {
  private var renderedSecond = Int.min
  private var rendered = ""

  public init() {}

  /// The present time as an IMF-fixdate, 29 characters.
  public func now() -> String {
    self.text(unixSeconds: time(nil))
  }

  /// - Parameter unixSeconds: seconds since 1970, not negative.
  public func text(unixSeconds: Int) -> String {
    if unixSeconds != self.renderedSecond {
      self.rendered = Self.render(unixSeconds: unixSeconds)
      self.renderedSecond = unixSeconds
    }
    return self.rendered
  }

  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func render(unixSeconds: Int) -> String {
    let (days, second) = unixSeconds.quotientAndRemainder(dividingBy: 86_400)
    let (year, month, day) = self.civil(daysSince1970: days)
    let date = "\(self.weekdays[days % 7]), \(self.padded(day)) \(self.months[month - 1]) \(year)"
    let time = "\(self.padded(second / 3600)):\(self.padded(second / 60 % 60)):\(self.padded(second % 60))"
    return "\(date) \(time) GMT"
  }

  /// The Gregorian date, counted in eras of 400 years that begin on the first of March.
  private static func civil(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = daysSince1970 + 719_468
    let (era, dayOfEra) = shifted.quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func padded(_ number: Int) -> String {
    number < 10 ? "0\(number)" : "\(number)"
  }
}

@available(*, unavailable)
extension HTTPDate: Sendable {}
