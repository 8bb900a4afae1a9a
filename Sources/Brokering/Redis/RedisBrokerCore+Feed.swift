import Logging
import NIOCore
import RedisClient
import Wire

/// The feed: who is attached to what, and who hears what.
extension RedisBrokerCore {
  func attach(_ channel: ChannelName, port: Int, _ answer: RedisReturn<Void>) {
    let topic = topic(of: channel)
    if !topic.ports.contains(port) { topic.ports.append(port) }
    topic.lingersUntil = nil
    lingering[topic.name] = nil
    guard feed.isConfirmed(topic.name) || feed.isConnected else {
      detach(channel, port: port)
      return answer.answer(.failure(BrokerError(.unavailable, "the feed from Redis is down")))
    }
    if !topic.isOccupied {
      topic.isOccupied = true
      occupied(channel)
    }
    if feed.isConfirmed(topic.name) { return answer.answer(.success(())) }
    let deadline = NIODeadline.now() + settings.redis.commandTimeout
    topic.waiting.append((port, deadline, answer))
    awaited[topic.name] = topic
  }

  private func topic(of channel: ChannelName) -> RedisTopic {
    let name = RedisKeys.feed(channel)
    if let topic = topics[name] { return topic }
    let topic = RedisTopic(channel)
    topics[name] = topic
    feed.subscribe([name])
    return topic
  }

  func detach(_ channel: ChannelName, port: Int) {
    guard let topic = topics[RedisKeys.feed(channel)] else { return }
    topic.ports.removeAll { $0 == port }
    guard topic.ports.isEmpty else { return }
    if topic.isOccupied {
      topic.isOccupied = false
      vacated(channel)
    }
    topic.roster = nil
    topic.lingersUntil = .now() + settings.linger
    lingering[topic.name] = topic
  }

  func endLingering(now: NIODeadline) {
    var excess = lingering.count - settings.lingeringTopics
    let over = lingering.values.filter { topic in
      let isOver = topic.lingersUntil.map { $0 <= now } ?? false
      if !isOver, excess <= 0 { return false }
      excess -= 1
      return true
    }.map(\.name)
    giveUp(over[...])
  }

  /// Some at a time, and nothing that lingers anew.
  private func giveUp(_ names: ArraySlice<String>) {
    let now = NIODeadline.now()
    let some = names.prefix(RedisBrokerSettings.unsubscribesAtOnce).filter { name in
      guard let until = lingering[name]?.lingersUntil else { return false }
      return until <= now || lingering.count > settings.lingeringTopics
    }
    for name in some {
      lingering[name] = nil
      topics[name] = nil
    }
    if !some.isEmpty { feed.unsubscribe(some) }
    let rest = names.dropFirst(RedisBrokerSettings.unsubscribesAtOnce)
    guard !rest.isEmpty else { return }
    loop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [weak self] in self?.giveUp(rest) }
  }

  /// An epoch goes a day after the last message, or an hour after it began in vain; not while somebody is attached.
  func keepEpochs(now: NIODeadline) {
    guard link.state == .ready else { return }
    if now >= nextEpochKeep {
      nextEpochKeep = now + settings.epochKeep
      tellUsers()
      let channels = topics.values.lazy.map(\.channel)
      epochsToKeep.begin(channels, every: settings.epochKeep, turn: settings.sweep)
    }
    for channel in epochsToKeep.next() where namespaces[channel].delivery != .ephemeral {
      let seconds = namespaces[channel].historyTTL + RedisBrokerSettings.epochTTL
      link.send(["EXPIRE", .string(RedisKeys.meta(channel)), .integer(seconds)]) { _ in }
    }
  }

  func confirmed(_ names: [String]) {
    for name in names {
      if let topic = topics[name] { rosterIsFed(topic) }
      guard let topic = awaited.removeValue(forKey: name) else { continue }
      for waiting in topic.waiting { waiting.answer.answer(.success(())) }
      topic.waiting = []
    }
  }

  func failLateAttaches(now: NIODeadline) {
    let error = BrokerError(.unavailable, "Redis did not confirm a subscription in time")
    for topic in awaited.values { failAttaches(of: topic, error) { $0 <= now } }
  }

  private func failAttaches(of topic: RedisTopic, _ error: BrokerError, where isOver: (NIODeadline) -> Bool) {
    let over = topic.waiting.filter { isOver($0.deadline) }
    topic.waiting.removeAll { isOver($0.deadline) }
    if topic.waiting.isEmpty { awaited[topic.name] = nil }
    for waiting in over {
      detach(topic.channel, port: waiting.port)
      waiting.answer.answer(.failure(error))
    }
  }

  /// Parses once; each port gets one delivery for each of its channels.
  func arrived(_ messages: [RedisFeedMessage]) {
    var touched: [RedisTopic] = []
    for message in messages {
      guard let topic = topics[message.name] else {
        switch message.name {
        case RedisKeys.probe(lease.incarnation): probeArrived(message.payload)
        case RedisKeys.commands(to: lease.incarnation): commandArrived(message.payload)
        default: break
        }
        continue
      }
      guard !topic.ports.isEmpty else { continue }
      guard let item = RedisFrame.parse(message.payload) else {
        logger.error("something strange on a channel's feed", metadata: ["channel": "\(topic.channel)"])
        continue
      }
      guard topic.roster?.heard(item) ?? true else { continue }
      if topic.items.isEmpty { touched.append(topic) }
      topic.items.append(item)
    }
    guard !touched.isEmpty else { return }
    for (index, door) in ports {
      let batch = touched.filter { $0.ports.contains(index) }.map {
        FeedDelivery(channel: $0.channel, items: $0.items)
      }
      if !batch.isEmpty { door.enter { $0.feedArrived(batch) } }
    }
    for topic in touched { topic.items = [] }
  }

  /// Everything is subscribed again; whether it is also heard, and the lease still held, the next heartbeat
  /// will show.
  func feedUp() {
    probe.lost()
    beat()
  }

  func feedDown(_ error: RedisError) {
    status.feed(error.description)
    giveUpStarting(error)
    probe.lost()
    let reason = BrokerError(.unavailable, "the feed from Redis was lost: \(error)")
    for topic in awaited.values { failAttaches(of: topic, reason) { _ in true } }
    lose()
  }

  /// Tells every receiver, once, that nothing is known.
  func lose() {
    guard !isLost else { return }
    isLost = true
    rosters.feedLost()
    for topic in topics.values { topic.roster?.feedLost() }
    for (_, door) in ports { door.enter { $0.feedLost() } }
  }

  /// Tells every receiver that the feed is whole again, when it is: the lease held, and a probe heard.
  func checkRestored() {
    guard isLost, feed.isUp, lease.isTaken, probe.isHeard else { return }
    isLost = false
    status.feed(nil)
    let presenceLost = presenceLost
    self.presenceLost = false
    if presenceLost { leavePause.membersReturn(now: .now()) }
    for (_, door) in ports { door.enter { $0.feedRestored(presenceLost: presenceLost) } }
    readRostersAgain(presenceLost: presenceLost)
    if presenceLost { tellUsers() }
    checkStarted()
  }
}
