private import Synchronization

/// How often values fell into fixed buckets, and their sum. Observed from any thread without a lock.
public final class Histogram: Sendable {
  /// The upper bounds, ascending, inclusive; what lies above the last counts only in all.
  public let bounds: [Double]
  /// One more than there are bounds.
  private let buckets: [Counter]
  /// The bits of a `Double`.
  private let sumBits = Atomic<UInt64>((0.0).bitPattern)

  /// Bounds are finite and ascend strictly.
  public init(bounds: [Double]) {
    precondition(
      bounds.allSatisfy(\.isFinite) && zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 },
      "bounds ascend"
    )
    self.bounds = bounds
    buckets = (0...bounds.count).map { _ in Counter() }
  }

  public func observe(_ value: Double) {
    buckets[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
    var seen = sumBits.load(ordering: .relaxed)
    while true {
      let sum = Double(bitPattern: seen) + value
      let (isDone, now) = sumBits.weakCompareExchange(
        expected: seen,
        desired: sum.bitPattern,
        ordering: .relaxed
      )
      if isDone { return }
      seen = now
    }
  }

  /// Values in each bucket, not cumulated; the last is what lies above every bound.
  public var counts: [UInt64] { buckets.map(\.value) }

  public var sum: Double { Double(bitPattern: sumBits.load(ordering: .relaxed)) }
}
