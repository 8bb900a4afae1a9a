import NIOCore

/// How soon a client that polls should come again.
enum PollPace {
  /// Channels that were quiet for so many times the interval are asked no more often than that.
  private static let quietIntervals: Int64 = 10
  /// Lateness of the event loop that doubles the interval; twice that trebles it.
  private static let tolerableLag = TimeAmount.milliseconds(100)

  /// Whole seconds between the two bounds: longer the longer nothing has happened, and the later the loop is.
  static func seconds(
    quiet: Int,
    lag: TimeAmount,
    from shortest: TimeAmount,
    to longest: TimeAmount
  ) -> Int {
    let idle = TimeAmount.seconds(Int64(quiet) / quietIntervals)
    let wanted = max(shortest, idle)
    let load = 1 + Double(lag.nanoseconds) / Double(tolerableLag.nanoseconds)
    let slowed = TimeAmount.nanoseconds(Int64(Double(wanted.nanoseconds) * load))
    let bounded = min(slowed, max(longest, shortest))
    return max(1, Int((bounded.nanoseconds + 999_999_999) / 1_000_000_000))
  }
}
