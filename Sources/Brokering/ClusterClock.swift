public import NIOCore
private import Synchronization
private import Wire

/// The time by which the cluster stamps messages and members. Every node has the same, whatever its own clock says:
/// Redis tells it with each heartbeat, and in between it goes on by a clock that nobody sets. Until it was told for
/// the first time, and on a node that runs alone, it is the time that the node had at its start, gone on.
public final class ClusterClock: Sendable {
  /// From September 2001 to the year 5138, in milliseconds since 1970: no other time is told.
  static let times: Range<Int64> = 1_000_000_000_000..<100_000_000_000_000

  /// What is to be added to the steady clock, in milliseconds.
  private let offset: Atomic<Int64>
  private let isTold = Atomic<Bool>(false)

  public init() {
    offset = Atomic(WallClock.milliseconds() - SteadyClock.milliseconds())
  }

  /// Milliseconds since 1970.
  public func milliseconds() -> Int64 {
    SteadyClock.milliseconds() + offset.load(ordering: .relaxed)
  }

  /// Milliseconds since 1970 at a moment that is not long ago.
  public func milliseconds(at moment: NIODeadline) -> Int64 {
    milliseconds() - (NIODeadline.now() - moment).nanoseconds / 1_000_000
  }

  /// Redis has said what time it is, one of `times`, in answer to what was asked at that moment. Who was told before
  /// does not believe what took long. Answers how far Redis's clock has gone ahead of the time that it told before.
  func told(_ time: Int64, askedAt asked: NIODeadline) -> TimeAmount {
    let wasTold = isTold.exchange(true, ordering: .relaxed)
    if wasTold, NIODeadline.now() - asked > .milliseconds(500) { return .zero }
    let new = time - SteadyClock.milliseconds()
    let old = offset.exchange(new, ordering: .relaxed)
    return wasTold ? .milliseconds(new - old) : .zero
  }
}
