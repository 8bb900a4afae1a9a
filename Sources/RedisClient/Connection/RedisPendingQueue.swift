import DequeModule
import NIOCore

/// Commands that wait for their answers, in order. One that was too slow has failed but keeps its place, since
/// its answer may still come.
struct RedisPendingQueue {
  private struct Entry {
    var deadline: NIODeadline
    var bytes: Int
    /// Nil when it has failed already.
    var done: RedisLink.Completion?
  }

  private var entries: Deque<Entry> = []
  /// Bytes of the commands that wait.
  private(set) var bytes = 0
  /// How many at the front have failed already.
  private var failed = 0
  private var answeredAt = NIODeadline.uptimeNanoseconds(0)
  private let timeout: TimeAmount
  private let maximum: Int
  private let maximumBytes: Int

  init(_ settings: RedisSettings) {
    self.timeout = settings.commandTimeout
    self.maximum = settings.maximumPending
    self.maximumBytes = settings.maximumPendingBytes
  }

  var count: Int { entries.count }
  var hasRoom: Bool { hasRoom(beside: 0, bytes: 0) }

  /// Whether there is room for one more, when others wait elsewhere to be sent.
  func hasRoom(beside others: Int, bytes otherBytes: Int) -> Bool {
    entries.count + others < maximum && bytes + otherBytes < maximumBytes
  }

  mutating func append(bytes: Int, now: NIODeadline, _ done: @escaping RedisLink.Completion) {
    self.bytes += bytes
    entries.append(Entry(deadline: now + timeout, bytes: bytes, done: done))
  }

  /// The oldest was answered: whom to tell, if anybody still waits. Nil when there is no command.
  mutating func answerFirst(now: NIODeadline) -> RedisLink.Completion?? {
    guard let entry = entries.popFirst() else { return .none }
    answeredAt = now
    bytes -= entry.bytes
    failed = max(0, failed - 1)
    return .some(entry.done)
  }

  mutating func takeAll() -> [RedisLink.Completion] {
    defer {
      entries = []
      bytes = 0
      failed = 0
    }
    return entries.compactMap(\.done)
  }

  /// For how long something has waited and nothing was answered.
  func silence(now: NIODeadline) -> TimeAmount {
    entries.first.map { max(.zero, now - max($0.deadline - timeout, answeredAt)) } ?? .zero
  }

  /// When `takeLate` is to be called next.
  var nextDeadline: NIODeadline? {
    guard let first = entries.first else { return nil }
    let stuck = first.deadline + timeout
    return failed < entries.count ? min(entries[failed].deadline, stuck) : stuck
  }

  /// Those whose time is over. Stuck is a link whose oldest command is late by as much again.
  mutating func takeLate(now: NIODeadline) -> (dones: [RedisLink.Completion], isStuck: Bool) {
    var dones: [RedisLink.Completion] = []
    while failed < entries.count, entries[failed].deadline <= now {
      if let done = entries[failed].done { dones.append(done) }
      entries[failed].done = nil
      failed += 1
    }
    return (dones, entries.first.map { $0.deadline + timeout <= now } ?? false)
  }
}
