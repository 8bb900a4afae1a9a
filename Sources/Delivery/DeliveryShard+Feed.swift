public import Brokering
import NIOCore
import Sessions
import Telemetry
import Wire

/// Following the feed.
extension DeliveryShard: FeedReceiver {
  public func feedArrived(_ batch: [FeedDelivery]) {
    isLoneDelivery = batch.count == 1
    for delivery in batch {
      if let log = logs[delivery.channel] { take(delivery.items, in: log) }
    }
    isLoneDelivery = false
    flush()
  }

  public func feedLost() {}

  /// Every position is checked against the log, many in one call.
  public func feedRestored(presenceLost: Bool) {
    if presenceLost { onPresenceLost?() }
    for log in logs.values where log.phase != .following { log.mustRepairAgain = true }
    verifyAll()
  }

  func verifyAll() {
    verify(logs.values.filter { $0.phase == .following && $0.continuity != nil }[...])
  }

  private func verify(_ logs: ArraySlice<ChannelLog>) {
    let batch = logs.prefix(500)
    guard !batch.isEmpty else { return }
    let expected = batch.map { log in
      (channel: log.channel, last: log.mark.map { MessageMark(cursor: $0.cursor, time: $0.time) })
    }
    port.verify(expected) { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let positions):
        for (log, position) in zip(batch, positions) where self.logs[log.channel] === log {
          guard log.phase == .following, log.continuity?.cursor != position.cursor else { continue }
          repair(log)
        }
        verify(logs.dropFirst(batch.count))
      case .failure:
        loop.assumeIsolated().scheduleTask(in: .milliseconds(settings.retryMS)) { [weak self] in
          self?.verify(logs.filter { $0.phase == .following }[...])
        }
      }
      flush()
    }
  }

  /// Takes what the feed brought for one channel, in order.
  func take(_ items: [FeedItem], in log: ChannelLog) {
    guard log.phase == .following else {
      log.early += items
      return
    }
    var run: [Message] = []
    for (index, item) in items.enumerated() {
      switch item {
      case .message(let message):
        guard let verdict = log.continuity?.messageArrived(message.cursor) else { continue }
        switch verdict {
        case .append:
          run.append(message)
        case .duplicate: continue
        case .hole, .otherEpoch, .regressed:
          append(run, to: log)
          log.early = Array(items[index...])
          if verdict == .regressed { renewEpoch(of: log) } else { repair(log) }
          return
        }
      case .ephemeral(let data, let user, let time):
        broadcastEphemeral(
          .message(channel: log.channel, cursor: nil, data: data, user: user, time: time),
          in: log
        )
      case .join(let member):
        append(run, to: log)
        run = []
        tellPresence(.join(channel: log.channel, member: member), of: member.id, in: log)
      case .leave(let member):
        append(run, to: log)
        run = []
        tellPresence(.leave(channel: log.channel, member: member), of: member.id, in: log)
      }
    }
    append(run, to: log)
  }

  /// Puts contiguous messages at the end of the ring and writes them to everybody who waits for them.
  func append(_ messages: [Message], to log: ChannelLog) {
    guard let last = messages.last else { return }
    let segment = Segment(log.channel, messages, scratch: &scratch)
    log.lastTime = last.time
    let before = log.ring.weight
    log.ring.append(segment)
    log.ringUsed = seconds
    log.activeAt = seconds
    log.ring.trim(to: settings.ringBytes)
    account(log.ring.weight - before)
    broadcast(segment, in: log)
  }

  private func broadcast(_ segment: Segment, in log: ChannelLog) {
    var count = log.live.count * segment.entries.count
    var cut: [Subscription] = []
    var index = 0
    while index < log.live.count {
      let subscription = log.live[index]
      guard let last = deliver(segment, to: subscription) else {
        index += 1
        continue
      }
      subscription.stored = Cursor(segment.epoch, last)
      log.change(subscription, to: .behind)
      if last < segment.last {
        count -= Int(segment.last - last)
        cut.append(subscription)
      }
    }
    metrics.deliveries.add(count)
    for subscription in cut { pump(subscription) }
  }

  private func broadcastEphemeral(_ event: ServerEvent, in log: ChannelLog) {
    metrics.deliveries.add(log.live.count)
    metrics.skipped.add(log.others.count)
    log.activeAt = seconds
    for subscription in log.live { write(event, to: subscription.subscriber) }
    for subscription in log.live where !hasRoom(subscription.subscriber) {
      log.change(subscription, to: .behind)
    }
  }

  // MARK: Rings

  /// Keeps count of what all rings cost, and takes from all when it is too much.
  func account(_ change: Int) {
    ringWeight += change
    metrics.ringBytes.add(change)
    guard ringWeight > settings.allRingBytes else { return }
    let enough = settings.allRingBytes * 3 / 4
    // The long ones first, which cost the most; then whole ones, of channels in which nothing has happened for long. Each
    // pass looks at every channel, and a quarter of all is free after it.
    var limit = settings.ringBytes
    while ringWeight > enough, limit > settings.ringBytes / 16 {
      limit /= 2
      for log in logs.values { shrink(log) { $0.trim(to: limit) } }
    }
    guard ringWeight > enough else { return }
    for log in logs.values.filter({ !$0.ring.isEmpty }).sorted(by: { $0.ringUsed < $1.ringUsed }) {
      guard ringWeight > enough else { return }
      shrink(log) { $0.removeAll() }
    }
  }

  private func shrink(_ log: ChannelLog, _ body: (inout MessageRing) -> Void) {
    let before = log.ring.weight
    body(&log.ring)
    ringWeight += log.ring.weight - before
    metrics.ringBytes.add(log.ring.weight - before)
  }

  /// Gives back half of what the rings cost.
  public func trimRings() {
    for log in logs.values { shrink(log) { $0.trim(to: $0.weight / 2) } }
  }

  func clearRing(of log: ChannelLog) {
    shrink(log) { $0.removeAll() }
  }
}
