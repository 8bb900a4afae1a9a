import NIOCore

/// Bad messages of one client: each is answered, the tenth in a minute ends the connection.
struct Strikes {
  static let limit = 10
  static let window = TimeAmount.minutes(1)
  private var times: [NIODeadline] = []

  /// Whether this one is too many.
  mutating func add(at now: NIODeadline) -> Bool {
    times.removeAll { $0 + Strikes.window <= now }
    times.append(now)
    return times.count >= Strikes.limit
  }
}
