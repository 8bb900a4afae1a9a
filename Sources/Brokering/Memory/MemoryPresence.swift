import Wire

/// Who is present in one channel of the in-memory broker.
struct MemoryPresence {
  private var members: [String: (member: Member, holders: Set<HolderID>)] = [:]
  /// The members' ids, sorted.
  private var order: [String] = []
  private var users: [ExactText: Int] = [:]

  var isEmpty: Bool { members.isEmpty }

  /// Whether the member is new.
  mutating func join(_ member: Member, holder: HolderID) -> Bool {
    if members[member.id]?.holders.insert(holder) != nil { return false }
    members[member.id] = (member, [holder])
    order.insert(member.id, at: firstPlace { $0 >= member.id })
    if let user = member.user.map(ExactText.init) { users[user, default: 0] += 1 }
    return true
  }

  /// The member, when this was its last holder.
  mutating func leave(_ memberID: String, holder: HolderID) -> Member? {
    guard members[memberID]?.holders.remove(holder) != nil, members[memberID]!.holders.isEmpty else {
      return nil
    }
    let member = members.removeValue(forKey: memberID)!.member
    order.remove(at: firstPlace { $0 >= memberID })
    if let user = member.user.map(ExactText.init) {
      users[user]! -= 1
      if users[user] == 0 { users[user] = nil }
    }
    return member
  }

  func page(limit: Int, after: String?) -> PresencePage {
    let ids = order[(after.map { after in firstPlace { $0 > after } } ?? 0)...]
    let page = ids.prefix(limit)
    return PresencePage(
      members: page.map { members[$0]!.member },
      count: members.count,
      users: users.count,
      next: ids.count > limit ? page.last : nil
    )
  }

  /// The first place in the order at which `isReached` holds; it holds for all that follow.
  private func firstPlace(where isReached: (String) -> Bool) -> Int {
    var low = 0
    var high = order.count
    while low < high {
      let middle = (low + high) / 2
      if isReached(order[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
