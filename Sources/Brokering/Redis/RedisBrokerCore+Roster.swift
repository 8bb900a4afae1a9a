import NIOCore
import RedisClient
import Wire

/// Rosters: after a fault, the listeners of a channel are told what they have missed of its presence.
extension RedisBrokerCore {
  /// Somebody on this node hears the joins and leaves of a channel that is attached.
  func hearPresence(of channel: ChannelName) {
    guard namespaces[channel].presenceEvents != .off, let topic = topics[RedisKeys.feed(channel)],
      !topic.ports.isEmpty, topic.roster == nil
    else { return }
    topic.roster = RedisPresenceRoster()
    if isLost { topic.roster?.feedLost() }
    if !isLost, feed.isConfirmed(topic.name) { mustRead(topic) }
  }

  /// What the feed brings of this channel from now on is all there is.
  func rosterIsFed(_ topic: RedisTopic) {
    if topic.roster?.isKnown == false, !isLost { mustRead(topic) }
  }

  /// The feed was not heard for a while, and perhaps Redis has forgotten everybody.
  func readRostersAgain(presenceLost: Bool) {
    if presenceLost { rosters.expectReturns(until: .now() + settings.rejoin) }
    for topic in topics.values where topic.roster != nil { mustRead(topic) }
  }

  func checkRosters(now: NIODeadline) {
    if !isLost, rosters.returnsEnded(now: now) { readRostersAgain(presenceLost: false) }
    readNextRoster()
  }

  /// The feed has brought what was published before this probe.
  func rosterProven(by probe: UInt64) {
    for name in rosters.proven(by: probe) { topics[name]?.roster?.feedProven() }
  }

  private func mustRead(_ topic: RedisTopic) {
    rosters.append(topic.name)
    readNextRoster()
  }

  /// One page after another, of one channel after another: nothing else has to wait for long.
  private func readNextRoster() {
    while !rosters.isReading, !isLost, link.state == .ready, let name = rosters.first {
      guard let topic = topics[name], topic.roster != nil else {
        rosters.removeFirst()
        continue
      }
      rosters.isReading = true
      topic.roster?.readBegan()
      readPage(of: topic, after: nil)
    }
  }

  private func readPage(of topic: RedisTopic, after: String?) {
    let limit = RedisBrokerSettings.rosterPage
    var arguments: [RedisArgument] = [.integer(limit)]
    if let after { arguments.append(.string(after)) }
    let keys = RedisKeys.presence(topic.channel)
    let losses = rosters.losses
    link.evaluate(RedisScripts.members, keys: keys, arguments: arguments) { [weak self] reply in
      guard let self, !isClosed else { return }
      // What fails, or was begun before the feed was lost, is read anew: by the next tick, or the restoration.
      guard !isLost, losses == rosters.losses, topics[topic.name] === topic, topic.roster != nil,
        case .success(let page) = reply.answer({ RedisAnswers.members($0, limit: limit) })
      else {
        rosters.isReading = false
        return
      }
      tell(topic.roster?.read(page.members) ?? [], to: topic)
      if let next = page.next { return readPage(of: topic, after: next) }
      if topic.roster?.isKnown == false { rosters.mustProve(topic.name, by: probe.upcoming) }
      tell(topic.roster?.readEnded(mayReturn: rosters.returnsUntil != nil) ?? [], to: topic)
      rosters.removeFirst()
      rosters.isReading = false
      readNextRoster()
    }
  }

  private func tell(_ items: [FeedItem], to topic: RedisTopic) {
    guard !items.isEmpty else { return }
    let delivery = FeedDelivery(channel: topic.channel, items: items)
    for (index, door) in ports where topic.ports.contains(index) {
      door.enter { $0.feedArrived([delivery]) }
    }
  }
}
