import Wire

/// Who is present in one channel of the in-memory broker.
struct MemoryPresence {
  private var members: [String: (member: Member, holders: Set<HolderID>)] = [:]
  private var users: [String: Int] = [:]

  var isEmpty: Bool { members.isEmpty }

  /// Whether the member is new.
  mutating func join(_ member: Member, holder: HolderID) -> Bool {
    if members[member.id]?.holders.insert(holder) != nil { return false }
    members[member.id] = (member, [holder])
    if let user = member.user { users[user, default: 0] += 1 }
    return true
  }

  /// The member, when this was its last holder.
  mutating func leave(_ memberID: String, holder: HolderID) -> Member? {
    guard members[memberID]?.holders.remove(holder) != nil, members[memberID]!.holders.isEmpty else {
      return nil
    }
    let member = members.removeValue(forKey: memberID)!.member
    if let user = member.user {
      users[user]! -= 1
      if users[user] == 0 { users[user] = nil }
    }
    return member
  }

  func page(limit: Int, after: String?) -> PresencePage {
    let ids = members.keys.filter { id in after.map { id > $0 } ?? true }.sorted()
    let page = ids.prefix(limit)
    return PresencePage(
      members: page.map { members[$0]!.member },
      count: members.count,
      users: users.count,
      next: ids.count > limit ? page.last : nil
    )
  }
}
