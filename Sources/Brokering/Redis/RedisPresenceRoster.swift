import NIOCore
import Wire

/// Whom the listeners of one channel on this node take for present, so that they can be told what they have
/// missed after a fault: what differs from what Redis says then. Pure.
///
/// Joins and leaves of the feed are always passed on: a listener may have read a page that was older, or newer,
/// than the roster. Only a leave that was told already, because Redis had shown it first, is not repeated.
struct RedisPresenceRoster {
  private var members: [String: Member] = [:]
  /// A first read is done: from then on, differences are news.
  private(set) var isKnown = false
  /// While Redis is read: whom the feed has spoken of since, and it knows better; nil otherwise.
  private var touched: Set<String>?
  /// While Redis is read: who was in it.
  private var seen: Set<String> = []
  /// Whose leave was told because Redis did not have them any more; the feed may still bring it.
  private var gone: Set<String> = []

  var count: Int { members.count }

  /// The feed has brought something. False when its listeners know it already.
  mutating func heard(_ item: FeedItem) -> Bool {
    switch item {
    case .message, .ephemeral: return true
    case .join(let member):
      touched?.insert(member.id)
      gone.remove(member.id)
      members[member.id] = kept(member)
      return true
    case .leave(let member):
      touched?.insert(member.id)
      members[member.id] = nil
      return gone.remove(member.id) == nil
    }
  }

  /// A read of all members begins. What was read of an earlier one does not count.
  mutating func readBegan() {
    touched = []
    seen = []
    gone = []
  }

  /// Redis has these. Answers the joins that were missed.
  mutating func read(_ page: [Member]) -> [FeedItem] {
    var missed: [FeedItem] = []
    for member in page {
      seen.insert(member.id)
      guard touched?.contains(member.id) == false, members[member.id] == nil else { continue }
      members[member.id] = kept(member)
      if isKnown { missed.append(.join(member)) }
    }
    return missed
  }

  /// Redis has no others. Answers the leaves that were missed; none while those who are absent may be on their
  /// way back, and then another read must follow.
  mutating func readEnded(mayReturn: Bool) -> [FeedItem] {
    defer {
      touched = nil
      seen = []
      isKnown = true
    }
    guard isKnown, !mayReturn, let touched else { return [] }
    let absent = members.values.filter { !seen.contains($0.id) && !touched.contains($0.id) }
    for member in absent {
      members[member.id] = nil
      gone.insert(member.id)
    }
    return absent.sorted { $0.id < $1.id }.map(FeedItem.leave)
  }

  /// Without the buffer that it came in.
  private func kept(_ member: Member) -> Member {
    var member = member
    member.info = member.info.map { ByteBuffer(bytes: $0.readableBytesView) }
    return member
  }
}
