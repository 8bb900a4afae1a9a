import Wire

/// How many connections each user has on one node.
struct UserCounts {
  private var counts: [ExactText: Int] = [:]

  subscript(user: String) -> Int { counts[ExactText(user), default: 0] }

  /// Who has any.
  var users: [String] { counts.keys.map(\.text) }

  mutating func add(_ user: String) { counts[ExactText(user), default: 0] += 1 }

  mutating func remove(_ user: String) {
    let count = self[user]
    counts[ExactText(user)] = count > 1 ? count - 1 : nil
  }
}
