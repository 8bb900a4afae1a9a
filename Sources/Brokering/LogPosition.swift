public import Wire

/// Where a log stands.
public struct LogPosition: Sendable, Equatable {
  public var epoch: Epoch
  /// The offset of the newest message; 0 in an empty log.
  public var tail: UInt64
  /// The offset of the oldest message held; `tail + 1` when none is.
  public var oldest: UInt64

  public init(epoch: Epoch, tail: UInt64, oldest: UInt64) {
    self.epoch = epoch
    self.tail = tail
    self.oldest = oldest
  }

  public var cursor: Cursor { Cursor(epoch, tail) }
}

/// Some messages of a log, ascending and contiguous, and where the log stood when they were read.
public struct LogPage: Sendable, Equatable {
  /// Bytes that the `data` of a page's messages may have together; one message is a page however large it is.
  public static let dataLimit = 1 << 20

  /// Nil when the channel has no epoch.
  public var position: LogPosition?
  public var messages: [Message]

  public init(position: LogPosition?, messages: [Message]) {
    self.position = position
    self.messages = messages
  }
}

/// What tells one message of a log from another that was given the same offset after a lost write.
public struct MessageMark: Sendable, Equatable {
  public var cursor: Cursor
  public var time: Int64

  public init(cursor: Cursor, time: Int64) {
    self.cursor = cursor
    self.time = time
  }
}
