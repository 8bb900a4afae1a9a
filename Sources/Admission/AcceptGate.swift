public import NIOCore
private import Synchronization

/// Decides who may come in now, and tells everybody else when there will be room.
///
/// A bucket that holds `burst` and fills at a rate, kept as virtual scheduling does: one word says until when all
/// that was let in would have taken at the rate. A second word says until when the refused have been promised
/// room: the next one is told the time after that, so that a crowd comes back as a queue. Shared by all loops of a
/// node without a lock.
public final class AcceptGate: Sendable {
  public enum Answer: Sendable, Equatable {
    case enter
    /// There will be room after so many milliseconds.
    case comeBack(afterMS: Int)
  }

  /// Nobody is told to stay away for longer, in nanoseconds.
  static let longestWait: Int64 = 60_000_000_000

  private let burst: Int64
  /// Nanoseconds between two at the present rate.
  private let period: Atomic<Int64>
  /// When those who were let in have had their time.
  private let taken = Atomic<Int64>(.min)
  /// When those who were told to come back have had theirs.
  private let promised = Atomic<Int64>(.min)

  /// - Parameters:
  ///   - rate: connects a second, more than 0.
  ///   - burst: how many may come at once, at least 1.
  public init(rate: Double, burst: Int) {
    self.burst = Int64(max(1, burst))
    period = Atomic(AcceptGate.period(of: rate))
  }

  /// Connects a second that are let in at present.
  public var rate: Double { 1e9 / Double(period.load(ordering: .relaxed)) }

  /// From now on the rate is another; what was taken of the burst stays taken. Called from one place at a time.
  public func setRate(_ rate: Double, now: NIODeadline) {
    let now = AcceptGate.time(now)
    let new = AcceptGate.period(of: rate)
    let old = period.exchange(new, ordering: .relaxed)
    guard new != old else { return }
    let rescaled = { (time: Int64) in
      time <= now ? nil : now + Int64(Double(time - now) * Double(new) / Double(old))
    }
    taken.change(rescaled)
    promised.change(rescaled)
  }

  /// Somebody wants to come in.
  public func knock(now: NIODeadline, chance: () -> Double = { .random(in: 0..<1) }) -> Answer {
    let now = AcceptGate.time(now)
    let period = period.load(ordering: .relaxed)
    let slack = (burst - 1) * period
    if taken.change({ time in max(time, now) - now <= slack ? max(time, now) + period : nil }) {
      return .enter
    }
    let room = taken.load(ordering: .relaxed) - slack
    var turn = room
    let isQueued = promised.change { time in
      turn = max(time, room)
      return turn - now <= AcceptGate.longestWait ? turn + period : nil
    }
    // A queue that is too long is told a time in the second half of the longest one.
    let wait = isQueued ? turn - now : AcceptGate.longestWait / 2 + Int64(chance() * 3e10)
    // Behind its turn, so that the room is surely there.
    let late = Int64(chance() * min(1e9, 1e8 + Double(wait) / 10))
    return .comeBack(afterMS: Int((max(0, wait) + late + 999_999) / 1_000_000))
  }

  /// Whether somebody who came now would be told to come back, or room is promised to others.
  public func isBusy(now: NIODeadline) -> Bool {
    let now = AcceptGate.time(now)
    let slack = (burst - 1) * period.load(ordering: .relaxed)
    return taken.load(ordering: .relaxed) - now > slack || promised.load(ordering: .relaxed) > now
  }

  /// How long the last of those who were refused was told to wait, from now on, in seconds.
  public func queueSeconds(now: NIODeadline) -> Double {
    let promised = promised.load(ordering: .relaxed)
    let now = AcceptGate.time(now)
    return promised > now ? Double(promised - now) / 1e9 : 0
  }

  private static func period(of rate: Double) -> Int64 {
    Int64(min(max(1e9 / rate, 1), 1e12))
  }

  private static func time(_ deadline: NIODeadline) -> Int64 {
    Int64(clamping: deadline.uptimeNanoseconds)
  }
}

extension Atomic<Int64> {
  /// Replaces the value by what `next` makes of it, unless that is nil; whether it was replaced.
  @discardableResult
  fileprivate func change(_ next: (Int64) -> Int64?) -> Bool {
    var seen = load(ordering: .relaxed)
    while let new = next(seen) {
      let (isDone, now) = weakCompareExchange(expected: seen, desired: new, ordering: .relaxed)
      if isDone { return true }
      seen = now
    }
    return false
  }
}
