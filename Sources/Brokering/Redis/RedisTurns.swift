import DequeModule
import NIOCore

/// Calls of one kind that go to Redis some at a time, in the order in which they were asked for: what is sent after them
/// by others waits behind those alone that are under way.
///
/// How many that are follows from how long they take, as in TCP Vegas (Brakmo and Peterson, 1995): as many as are on
/// their way, and a few that wait for the others where they are answered. So they are few with a Redis that is near, and
/// more with one that is far.
final class RedisTurns {
  private let bounds: ClosedRange<Int>
  private let clock: () -> NIODeadline
  /// How many may be under way.
  private(set) var atOnce: Int
  /// When those under way began. They mostly end in that order.
  private var began: Deque<NIODeadline> = []
  private var waiting: Deque<() -> Void> = []
  /// The shortest that a call took, in this period and in the one before.
  private var shortest = TimeAmount.nanoseconds(.max)
  private var shortestBefore = TimeAmount.nanoseconds(.max)
  private var periodEnds = NIODeadline.uptimeNanoseconds(0)
  /// Calls that have ended since `atOnce` was looked at.
  private var looked = 0
  private var isBeginning = false

  /// Those that wait, at the most.
  static let longest = 1 << 16
  /// How many of those under way may be there only to wait for the others.
  private static let queued = 2.0...4.0
  private static let period = TimeAmount.seconds(10)

  /// - Parameters:
  ///   - atOnce: how many may be under way, at the least and at the most.
  ///   - clock: of the process, if it is not another.
  init(atOnce: ClosedRange<Int>, clock: @escaping () -> NIODeadline = { .now() }) {
    bounds = atOnce
    self.atOnce = atOnce.lowerBound
    self.clock = clock
  }

  var count: Int { began.count + waiting.count }

  /// Begins a call now or in its turn. Whoever began must say so when it has ended. False when too many wait already.
  func take(_ call: @escaping () -> Void) -> Bool {
    guard began.count >= atOnce else {
      began.append(clock())
      call()
      return true
    }
    guard waiting.count < RedisTurns.longest else { return false }
    waiting.append(call)
    return true
  }

  /// A call has its answer, or has failed: how long that took tells nothing.
  func ended(hasFailed: Bool = false) {
    let now = clock()
    if let began = began.popFirst(), !hasFailed { took(now - began, now) }
    // Those that end as soon as they begin are not begun within each other.
    guard !isBeginning else { return }
    isBeginning = true
    while began.count < atOnce, let next = waiting.popFirst() {
      began.append(now)
      next()
    }
    isBeginning = false
  }

  /// Looks at how long a call took, and once in as many how many there should be.
  private func took(_ time: TimeAmount, _ now: NIODeadline) {
    if now >= periodEnds {
      periodEnds = now + RedisTurns.period
      shortestBefore = shortest
      shortest = time
    }
    shortest = min(shortest, time)
    looked += 1
    guard looked >= atOnce else { return }
    looked = 0
    let quickest = min(shortest, shortestBefore)
    let queued = Double(atOnce) * (1 - Double(quickest.nanoseconds) / Double(max(time.nanoseconds, 1)))
    if queued > RedisTurns.queued.upperBound, atOnce > bounds.lowerBound {
      atOnce -= 1
    } else if queued < RedisTurns.queued.lowerBound, !waiting.isEmpty, atOnce < bounds.upperBound {
      atOnce += 1
    }
  }
}

@available(*, unavailable) extension RedisTurns: Sendable {}
