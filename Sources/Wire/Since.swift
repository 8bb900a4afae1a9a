/// Where a subscriber, of one channel or of several, asks to go on.
public enum Since: Hashable, Sendable {
  /// `start`: from the oldest message held.
  case start
  case cursor(Cursor)
}

/// `since` of a request for several channels: a cursor set or `start`.
public enum SinceSet: Hashable, Sendable {
  case start
  case positions(CursorSet)

  /// Nil when the text is neither `start` nor a cursor set.
  public init?(_ text: some StringProtocol) {
    if text == "start" {
      self = .start
    } else if let set = CursorSet(text) {
      self = .positions(set)
    } else {
      return nil
    }
  }

  /// What is asked of one channel; nil is from now.
  public func since(_ channel: ChannelName) -> Since? {
    switch self {
    case .start: .start
    case .positions(let set): set[channel].map(Since.cursor)
    }
  }
}

extension Since {
  /// Nil when the text is neither `start` nor a cursor.
  public init?(_ text: some StringProtocol) {
    if text == "start" {
      self = .start
    } else if let cursor = Cursor(text) {
      self = .cursor(cursor)
    } else {
      return nil
    }
  }
}
