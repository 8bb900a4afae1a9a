internal import NIOCore
private import Synchronization

/// How late an event loop is: a task that should run every tenth of a second is timed.
final class LoopLag: Sendable {
  static let interval = TimeAmount.milliseconds(100)

  /// What one second has shown, in nanoseconds.
  struct Reading: Equatable {
    var worst: Int64 = 0
    var sum: Int64 = 0
    var count: Int64 = 0
  }

  private let due: Atomic<Int64>
  private let worst = Atomic<Int64>(0)
  private let sum = Atomic<Int64>(0)
  private let count = Atomic<Int64>(0)

  init(now: NIODeadline) {
    due = Atomic(LoopLag.time(now + LoopLag.interval))
  }

  /// Times a loop until the task is cancelled.
  func time(_ loop: any EventLoop) -> RepeatedTask {
    due.store(LoopLag.time(.now() + LoopLag.interval), ordering: .relaxed)
    return loop.scheduleRepeatedTask(initialDelay: LoopLag.interval, delay: LoopLag.interval) { _ in
      self.ran(at: .now())
    }
  }

  /// The task ran; the next run is due an interval later.
  func ran(at now: NIODeadline) {
    let late = max(0, LoopLag.time(now) - due.load(ordering: .relaxed))
    due.store(LoopLag.time(now + LoopLag.interval), ordering: .relaxed)
    if late > worst.load(ordering: .relaxed) { worst.store(late, ordering: .relaxed) }
    sum.wrappingAdd(late, ordering: .relaxed)
    count.wrappingAdd(1, ordering: .relaxed)
  }

  /// What was seen since the last reading; a run that is overdue at this moment counts too.
  func read(now: NIODeadline) -> Reading {
    let overdue = max(0, LoopLag.time(now) - due.load(ordering: .relaxed))
    var reading = Reading(
      worst: worst.exchange(0, ordering: .relaxed),
      sum: sum.exchange(0, ordering: .relaxed),
      count: count.exchange(0, ordering: .relaxed)
    )
    guard overdue > LoopLag.interval.nanoseconds else { return reading }
    reading.worst = max(reading.worst, overdue)
    reading.sum += overdue
    reading.count += 1
    return reading
  }

  private static func time(_ deadline: NIODeadline) -> Int64 {
    Int64(clamping: deadline.uptimeNanoseconds)
  }
}
