import Wire

/// Joins and leaves of one channel that somebody is still to be told: of each member the last. Pure.
///
/// What a member did before is left out, but never its last step, though it may undo one that was not told: a
/// listener may have read the members in between.
struct PresenceNews {
  private var news: [String: (serial: UInt64, event: ServerEvent)] = [:]
  /// The number of the next one.
  private(set) var next: UInt64 = 0

  var isEmpty: Bool { news.isEmpty }

  /// `event` is a join or a leave of `member`.
  mutating func append(_ event: ServerEvent, of member: String) {
    news[member] = (next, event)
    next += 1
  }

  /// What came from this number on, in order.
  func since(_ serial: UInt64) -> [(member: String, serial: UInt64, event: ServerEvent)] {
    news.filter { $0.value.serial >= serial }.map { ($0.key, $0.value.serial, $0.value.event) }
      .sorted { $0.serial < $1.serial }
  }

  /// Everybody was told.
  mutating func clear() {
    news = [:]
  }
}
