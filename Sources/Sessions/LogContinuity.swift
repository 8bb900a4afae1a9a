public import Wire

/// Decides what each message of a channel's feed is to a node that has followed the log so far.
///
/// The feed of a channel has the order of its log. So the next offset is appended, a larger one means that the
/// feed lost something, one that was read from the log already is passed over, and one that the feed itself
/// had brought before means that the log lost a write it had acknowledged.
public struct LogContinuity: Sendable, Equatable {
  public enum Verdict: Sendable, Equatable {
    /// The next message.
    case append
    /// Already had: it was read from the log before the feed brought it.
    case duplicate
    /// What lies between the tail and this one must be read from the log first.
    case hole
    /// Of another epoch: the log must say which one is the present one.
    case otherEpoch
    /// The log went back: a new epoch must begin.
    case regressed
  }

  public private(set) var epoch: Epoch
  /// The newest offset known here.
  public private(set) var tail: UInt64
  /// The newest offset that the feed itself has brought.
  private var fed: UInt64

  public init(_ position: Cursor) {
    epoch = position.epoch
    tail = position.offset
    fed = 0
  }

  public var cursor: Cursor { Cursor(epoch, tail) }

  /// The feed brought a message. Only `append` and `duplicate` are remembered: after anything else the same
  /// message is judged again when the log has been read.
  public mutating func messageArrived(_ cursor: Cursor) -> Verdict {
    guard cursor.epoch == epoch else { return .otherEpoch }
    guard cursor.offset > fed else { return .regressed }
    guard cursor.offset > tail else {
      fed = cursor.offset
      return .duplicate
    }
    guard cursor.offset == tail + 1 else { return .hole }
    tail = cursor.offset
    fed = cursor.offset
    return .append
  }

  /// The log was read up to and with `offset`.
  public mutating func logRead(upTo offset: UInt64) {
    tail = max(tail, offset)
  }
}
