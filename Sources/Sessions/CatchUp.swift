public import Wire

/// What a node knows of a channel's log: where it stands, and which part is at hand without asking anyone.
public struct LogView: Sendable, Equatable {
  public var epoch: Epoch
  public var tail: UInt64
  /// The oldest offset that the log is known to hold; `tail + 1` when it holds none.
  public var oldest: UInt64
  /// The oldest offset in the ring, which reaches to the tail without a hole; `tail + 1` when it is empty.
  public var ringOldest: UInt64

  public init(epoch: Epoch, tail: UInt64, oldest: UInt64, ringOldest: UInt64) {
    self.epoch = epoch
    self.tail = tail
    self.oldest = oldest
    self.ringOldest = ringOldest
  }

  /// The cursor before everything that can still be had.
  var start: Cursor { Cursor(epoch, min(oldest, ringOldest) - 1) }
}

/// Decides how a subscriber gets from its cursor to the end of the log.
public enum CatchUp {
  public enum Step: Sendable, Equatable {
    /// Nothing is missing: live messages can be sent to it.
    case live
    /// Send from the ring what follows the cursor.
    case ring
    /// Read from the log what follows the cursor.
    case log
    /// Tell the gap and go on after it.
    case gap(Gap)
    /// Go on after this cursor, and say nothing: what lies between does not matter.
    case skip(to: Cursor, missed: UInt64)
  }

  /// - Parameter reason: why a part that is gone was not sent in time.
  public static func next(
    from cursor: Cursor,
    in log: LogView,
    mode: DeliveryMode,
    reason: GapReason
  ) -> Step {
    if mode == .latest {
      let newest = log.oldest > log.tail && log.ringOldest > log.tail ? log.tail : log.tail - 1
      if cursor.epoch != log.epoch || cursor.offset > log.tail {
        return .skip(to: Cursor(log.epoch, newest), missed: 0)
      }
      if cursor.offset < newest {
        return .skip(to: Cursor(log.epoch, newest), missed: newest - cursor.offset)
      }
    }
    if cursor.epoch != log.epoch {
      return .gap(Gap(from: cursor, to: log.start, reason: .reset))
    }
    if cursor.offset > log.tail {
      return .gap(Gap(from: cursor, to: Cursor(log.epoch, log.tail), reason: .reset))
    }
    if cursor.offset == log.tail { return .live }
    if cursor.offset + 1 >= log.ringOldest { return .ring }
    if cursor.offset + 1 >= log.oldest { return .log }
    return .gap(Gap(from: cursor, to: log.start, reason: reason))
  }
}
