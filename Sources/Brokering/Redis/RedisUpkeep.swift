import NIOCore

/// What Redis is to be told anew from time to time, so that it does not forget it: some at a time, since what others
/// ask is not to wait for all of it. Pure.
struct RedisUpkeep<Element> {
  private var left: [Element] = []
  private var batch = 0

  /// Begins with all of them, whatever was left.
  /// - Parameters:
  ///   - period: when it is to begin again. All are told in half of it.
  ///   - turn: how long it takes from one `next` to the next.
  mutating func begin(_ all: some Sequence<Element>, every period: TimeAmount, turn: TimeAmount) {
    left = Array(all)
    let turns = max(1, Int(period.nanoseconds / 2 / max(1, turn.nanoseconds)))
    batch = max(RedisBrokerSettings.upkeepBatch, (left.count + turns - 1) / turns)
  }

  /// Those that are to be told in this turn.
  mutating func next() -> [Element] {
    let some = Array(left.suffix(batch))
    left.removeLast(some.count)
    if left.isEmpty { left = [] }
    return some
  }
}
