import NIOCore
import Wire

/// Whom the listeners of one channel on this node take for present, so that they can be told what they have
/// missed after a fault: what differs from what Redis says then. Pure.
///
/// Joins and leaves of the feed are always passed on: a listener may have read a page that was older, or newer,
/// than the roster. Only a leave that was told already, because Redis had shown it first, is not repeated.
struct RedisPresenceRoster {
  private var members: [String: Member] = [:]
  /// Who stood on a page that a listener was given, while nothing else here knew of them.
  private var shown: [String: Member] = [:]
  /// Whom the first read has shown, as long as their joins may still be on their way here.
  private var unproven: Set<String> = []
  /// A first read is done, or the feed was lost before: from then on, differences are news.
  private(set) var isKnown = false
  /// While Redis is read: whom the feed has spoken of since, and it knows better; nil otherwise.
  private var touched: Set<String>?
  /// While Redis is read: who was in it.
  private var seen: Set<String> = []
  /// Whose leave was told because Redis did not have them any more; the feed may still bring it.
  private var gone: Set<String> = []

  var count: Int { members.count }

  /// Nothing is heard from now on. What the listeners know so far is what they were told here.
  mutating func feedLost() {
    isKnown = true
    for id in unproven { shown[id] = members.removeValue(forKey: id) }
    unproven = []
  }

  /// Everything that was published before the first read ended has been heard.
  mutating func feedProven() {
    unproven = []
  }

  /// A listener may have been given this page.
  mutating func showed(_ page: [Member]) {
    for member in page where members[member.id] == nil { shown[member.id] = kept(member) }
  }

  /// The feed has brought something. False when its listeners know it already.
  mutating func heard(_ item: FeedItem) -> Bool {
    switch item {
    case .message, .ephemeral: return true
    case .join(let member):
      touched?.insert(member.id)
      gone.remove(member.id)
      shown[member.id] = nil
      unproven.remove(member.id)
      members[member.id] = kept(member)
      return true
    case .leave(let member):
      touched?.insert(member.id)
      members[member.id] = nil
      shown[member.id] = nil
      unproven.remove(member.id)
      return gone.remove(member.id) == nil
    }
  }

  /// A read of all members begins. What was read of an earlier one does not count.
  mutating func readBegan() {
    touched = []
    seen = []
    gone = []
  }

  /// Redis has these. Answers the joins that were missed, or may have been: who was only on a page is told to
  /// those who have not read it.
  mutating func read(_ page: [Member]) -> [FeedItem] {
    var missed: [FeedItem] = []
    for member in page {
      seen.insert(member.id)
      guard touched?.contains(member.id) == false, members[member.id] == nil else { continue }
      members[member.id] = kept(member)
      shown[member.id] = nil
      if isKnown { missed.append(.join(member)) } else { unproven.insert(member.id) }
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
    let absent = [members.values, shown.values].joined()
      .filter { !seen.contains($0.id) && !touched.contains($0.id) }
    shown = [:]
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
