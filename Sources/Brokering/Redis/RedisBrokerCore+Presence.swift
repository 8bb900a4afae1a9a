import NIOCore
import RedisClient
import Wire

/// Presence: who is present, under this node's lease.
extension RedisBrokerCore {
  func join(_ channel: ChannelName, _ member: Member, _ holder: HolderID, _ answer: RedisReturn<Void>) {
    presence.joins(RedisHeldPresence.Leave(channel: channel, memberID: member.id, holder: holder))
    let name = lease.name
    guard !isClosed, link.state == .ready, lease.isTaken else {
      return answer.answer(.failure(BrokerError(.unavailable, "this node has no lease in Redis")))
    }
    let pass: RedisGate.Pass
    switch gate.enter() {
    case .success(let entered): pass = entered
    case .failure(let error): return answer.answer(.failure(error))
    }
    // On the same connection, so certainly before: what is not noted would not be swept.
    if presence.joins(channel) {
      link.send(["SADD", .string(RedisKeys.index(of: name)), .string(channel.text)]) { _ in }
      link.send(["EXPIRE", .string(RedisKeys.index(of: name)), .integer(86_400)]) { _ in }
    }
    var arguments: [RedisArgument] = [
      .string(member.id), .string(lease.holder(member.id, holder)), .string(presenceFeed(of: channel)),
      .integer(presenceTTL), .bytes(RedisFrame.record(member)),
    ]
    if let user = member.user { arguments.append(.string(user)) }
    link.evaluate(RedisScripts.joinOrLeave, keys: RedisKeys.presence(channel), arguments: arguments) {
      [weak self] reply in
      self?.gate.left(pass, reply)
      if let self, name == lease.name {
        presence.joined(channel, isNew: reply.isNew)
      }
      answer.answer(reply.answer { _ in () })
    }
  }

  func leave(_ channel: ChannelName, _ memberID: String, _ holder: HolderID, _ answer: RedisReturn<Void>) {
    let leave = RedisHeldPresence.Leave(channel: channel, memberID: memberID, holder: holder)
    take(leave) { answer.answer($0) }
  }

  private func take(_ leave: RedisHeldPresence.Leave, _ done: @escaping (Result<Void, BrokerError>) -> Void) {
    presence.leaves(leave)
    guard !leavesWait(now: .now()) else {
      presence.leaveFailed(leave)
      return done(.failure(BrokerError(.unavailable, "leaves wait until members are back after a fault")))
    }
    let name = lease.name
    let pass: RedisGate.Pass
    switch gate.enter() {
    case .success(let entered): pass = entered
    case .failure(let error):
      presence.leaveFailed(leave)
      return done(.failure(error))
    }
    let arguments: [RedisArgument] = [
      .string(leave.memberID), .string(lease.holder(leave.memberID, leave.holder)),
      .string(presenceFeed(of: leave.channel)),
    ]
    let keys = RedisKeys.presence(leave.channel)
    link.evaluate(RedisScripts.joinOrLeave, keys: keys, arguments: arguments) { [weak self] reply in
      self?.gate.left(pass, reply)
      if let self, name == lease.name { left(leave, reply, name) }
      done(reply.answer { _ in () })
    }
  }

  private func left(_ leave: RedisHeldPresence.Leave, _ reply: Result<RedisValue, RedisError>, _ name: String)
  {
    switch reply {
    case .failure: presence.leaveFailed(leave)
    case .success(let value):
      if presence.left(leave, wasThere: value.integer == 1) {
        link.send(["SREM", .string(RedisKeys.index(of: name)), .string(leave.channel.text)]) { _ in }
      }
    }
  }

  /// Looks also whether Redis is silent now: what is sent to it would be done as soon as it is not, before other nodes
  /// had joined whom they could not.
  func leavesWait(now: NIODeadline) -> Bool {
    if link.state == .ready {
      if link.silence(now: now) < RedisBrokerSettings.silence {
        leavePause.redisAnswers(now: now)
      } else {
        leavePause.redisFailed()
      }
    }
    return leavePause.isOn(now: now)
  }

  /// Tells Redis of the leaves that it could not be told of: of some, and when it has taken these, of the next.
  func payOwedLeaves(now: NIODeadline) {
    guard !leavesWait(now: now), link.state == .ready else { return }
    let some = Array(presence.owed.prefix(RedisBrokerSettings.upkeepBatch))
    var unanswered = some.count
    var areTaken = true
    for leave in some {
      take(leave) { [weak self] result in
        unanswered -= 1
        if case .failure = result { areTaken = false }
        if unanswered == 0, areTaken { self?.payOwedLeaves(now: .now()) }
      }
    }
  }

  func members(
    of channel: ChannelName,
    limit: Int,
    after: String?,
    _ answer: RedisReturn<PresencePage>
  ) {
    let pass: RedisGate.Pass
    switch gate.enter() {
    case .success(let entered): pass = entered
    case .failure(let error): return answer.answer(.failure(error))
    }
    var arguments: [RedisArgument] = [.integer(limit)]
    if let after { arguments.append(.string(after)) }
    link.evaluate(RedisScripts.members, keys: RedisKeys.presence(channel), arguments: arguments) {
      [weak self] reply in
      self?.gate.left(pass, reply)
      let page = reply.answer { RedisAnswers.members($0, limit: limit) }
      if case .success(let page) = page {
        self?.topics[RedisKeys.feed(channel)]?.roster?.showed(page.members)
      }
      answer.answer(page)
    }
  }

  /// Where joins and leaves are published; empty where they are not told.
  func presenceFeed(of channel: ChannelName) -> String {
    namespaces[channel].presenceEvents == .off ? "" : RedisKeys.feed(channel)
  }

  private var presenceTTL: Int { Int(settings.presenceTTL.nanoseconds / 1_000_000_000) }

  /// Presence is stored for a while only; what is held is kept on.
  func keepPresence(now: NIODeadline) {
    guard link.state == .ready else { return }
    if now >= nextKeep {
      let period = TimeAmount.nanoseconds(settings.presenceTTL.nanoseconds / 4)
      nextKeep = now + period
      presenceToKeep.begin(presence.all, every: period, turn: settings.sweep)
    }
    for channel in presenceToKeep.next() where presence.holds(channel) {
      let keys = RedisKeys.presence(channel)
      link.evaluate(RedisScripts.keepPresence, keys: keys, arguments: [.integer(presenceTTL)]) { _ in }
    }
  }
}

extension Result<RedisValue, RedisError> {
  /// Whether a join made a new holder; nil when that is unknown.
  fileprivate var isNew: Bool? {
    switch self {
    case .success(let value): value.integer == 1
    case .failure(let error): error.mayHaveRun ? nil : false
    }
  }
}
