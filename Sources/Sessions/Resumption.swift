public import Wire

/// Decides where a new subscription starts, and whether it is the continuation that was asked for.
public enum Resumption {
  public enum Answer: Sendable, Equatable {
    /// The stream goes on after `cursor`. A gap, where there is one, is told at once.
    case start(Cursor, resumed: Bool, gap: Gap?)
    /// Read what the log holds after this position first: only the log can say.
    case read(Since)
    /// Read on from the end first: the client has seen more than this node has.
    case refresh
  }

  /// - Parameters:
  ///   - since: nil is from now.
  ///   - isFresh: the log was read for this question already; no read is asked for twice.
  public static func answer(
    _ since: Since?,
    in log: LogView,
    mode: DeliveryMode,
    isFresh: Bool
  ) -> Answer {
    switch since {
    case nil:
      return .start(Cursor(log.epoch, log.tail), resumed: false, gap: nil)
    case .start where isFresh || log.ringOldest <= log.oldest:
      return .start(Cursor(log.epoch, log.oldest - 1), resumed: true, gap: nil)
    case .start:
      return .read(.start)
    case .cursor(let cursor) where mode == .latest:
      return latest(cursor, log, isFresh)
    case .cursor(let cursor):
      return history(cursor, log, isFresh)
    }
  }

  private static func history(_ cursor: Cursor, _ log: LogView, _ isFresh: Bool) -> Answer {
    if cursor.epoch != log.epoch {
      guard isFresh || log.ringOldest <= log.oldest else { return .read(.start) }
      let start = Cursor(log.epoch, log.oldest - 1)
      return .start(start, resumed: false, gap: Gap(from: cursor, to: start, reason: .reset))
    }
    if cursor.offset > log.tail {
      guard isFresh else { return .refresh }
      let end = Cursor(log.epoch, log.tail)
      return .start(end, resumed: false, gap: Gap(from: cursor, to: end, reason: .reset))
    }
    if cursor.offset == log.tail || cursor.offset + 1 >= max(log.oldest, log.ringOldest) {
      return .start(cursor, resumed: true, gap: nil)
    }
    guard isFresh else { return .read(.cursor(cursor)) }
    if cursor.offset + 1 >= log.oldest { return .start(cursor, resumed: true, gap: nil) }
    let start = Cursor(log.epoch, log.oldest - 1)
    return .start(start, resumed: false, gap: Gap(from: cursor, to: start, reason: .trimmed))
  }

  /// In a log of one the newest is all there is to miss.
  private static func latest(_ cursor: Cursor, _ log: LogView, _ isFresh: Bool) -> Answer {
    if cursor.epoch == log.epoch, cursor.offset == log.tail {
      return .start(cursor, resumed: true, gap: nil)
    }
    if cursor.epoch == log.epoch, cursor.offset > log.tail, !isFresh { return .refresh }
    guard isFresh || log.ringOldest <= log.tail || log.oldest > log.tail else {
      return .read(.start)
    }
    let newest = log.oldest > log.tail && log.ringOldest > log.tail ? log.tail : log.tail - 1
    return .start(Cursor(log.epoch, newest), resumed: true, gap: nil)
  }
}
