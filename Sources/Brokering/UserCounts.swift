/// How many connections each user has on one node.
struct UserCounts {
  private(set) var counts: [String: Int] = [:]

  subscript(user: String) -> Int { counts[user, default: 0] }

  mutating func add(_ user: String) { counts[user, default: 0] += 1 }

  mutating func remove(_ user: String) {
    let count = self[user]
    counts[user] = count > 1 ? count - 1 : nil
  }
}
