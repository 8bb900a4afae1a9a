import NIOCore
import RedisClient
import Wire

/// How many connections each user has in the cluster. A node writes its own count of a user, which is valid while the
/// node's lease lasts: so a dead node's connections are forgotten with it, and nothing is written for those that stay.
extension RedisBrokerCore {
  /// How long a user's counts are kept without a change, in seconds; nodes renew theirs four times in this time.
  private static let usersTTL = 86_400

  func connect(user: String, limit: Int, _ answer: RedisReturn<Bool>) {
    guard users[user] < limit else { return answer.answer(.success(false)) }
    users.add(user)
    guard link.state == .ready else {
      owedUsers.insert(ExactText(user))
      return answer.answer(.success(true))
    }
    tell(user, limit: limit) { [weak self] isIn in
      if !isIn { self?.users.remove(user) }
      answer.answer(.success(isIn))
    }
  }

  func disconnect(user: String) {
    users.remove(user)
    guard link.state == .ready else {
      owedUsers.insert(ExactText(user))
      return
    }
    tell(user, limit: 0) { _ in }
  }

  /// Writes the counts that Redis could not be told, some at a time.
  func payOwedUsers() {
    guard link.state == .ready, !owedUsers.isEmpty else { return }
    for user in Array(owedUsers.prefix(RedisBrokerSettings.upkeepBatch)) {
      owedUsers.remove(user)
      tell(user.text, limit: 0) { _ in }
    }
  }

  /// Writes how many connections a user has here; with a limit only if the cluster has room for that many. When Redis
  /// fails, there is, and the count is owed.
  private func tell(_ user: String, limit: Int, _ done: @escaping (Bool) -> Void) {
    let arguments: [RedisArgument] =
      [
        .string(lease.incarnation), .integer(users[user]), .integer(limit),
        .integer(RedisBrokerCore.usersTTL),
      ] + living.map { .string($0) }
    link.evaluate(RedisScripts.users, keys: [RedisKeys.connections(of: user)], arguments: arguments) {
      [weak self] reply in
      if case .failure = reply { self?.owedUsers.insert(ExactText(user)) }
      done((try? reply.get())?.integer != 0)
    }
  }

  /// Learns who lives, while users are counted.
  func keepUsers(now: NIODeadline) {
    guard settings.countsUsers, now >= nextLiving, link.state == .ready else { return }
    nextLiving = now + settings.heartbeat
    nodes { [weak self] records in
      guard let self, let records = try? records.get() else { return }
      living = Set(records.filter(\.isAlive).map(\.incarnation))
    }
  }

  /// Writes all counts anew: Redis may have lost them, or they grow old.
  func tellUsers() {
    usersToTell.begin(users.users, every: settings.epochKeep, turn: settings.sweep)
    tellSomeUsers()
  }

  func tellSomeUsers() {
    guard link.state == .ready else { return }
    for user in usersToTell.next() { tell(user, limit: -1) { _ in } }
  }
}
