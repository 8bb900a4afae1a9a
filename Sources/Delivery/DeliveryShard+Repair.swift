import Brokering
import NIOCore
import Sessions
import Telemetry
import Wire

/// Reading from the log what the feed did not bring.
extension DeliveryShard {
  /// Reads on from the tail until nothing is missing; what the feed brings meanwhile waits.
  func repair(_ log: ChannelLog) {
    guard let continuity = log.continuity else { return }
    log.phase = .repairing
    log.earlyBeforeRead = log.early.count
    metrics.logReads.add()
    port.read(log.channel, .since(.cursor(continuity.cursor)), limit: settings.readLimit) { [weak self] in
      guard let self, logs[log.channel] === log else { return }
      switch $0 {
      case .failure: again { $0.repair(log) }
      case .success(let page): repaired(log, page)
      }
      flush()
    }
  }

  /// The log went back: what was numbered twice must not be taken for one thing.
  func renewEpoch(of log: ChannelLog) {
    guard let continuity = log.continuity else { return }
    log.phase = .repairing
    port.renewEpoch(of: log.channel, ifStill: continuity.epoch) { [weak self] in
      guard let self, logs[log.channel] === log else { return }
      switch $0 {
      case .failure: again { $0.renewEpoch(of: log) }
      case .success(let position): reset(log, to: position)
      }
      flush()
    }
  }

  private func repaired(_ log: ChannelLog, _ page: LogPage) {
    guard let continuity = log.continuity else { return }
    guard let position = page.position else { return makeEpoch(of: log) }
    guard position.epoch == continuity.epoch else { return reset(log, to: position) }
    guard position.tail >= continuity.tail else { return renewEpoch(of: log) }
    log.oldest = max(log.oldest, position.oldest)
    let next = page.messages.first?.cursor.offset ?? position.tail + 1
    if next > continuity.tail + 1 {
      demoteAll(log)
      clearRing(of: log)
      log.oldest = max(log.oldest, next)
      log.continuity?.logRead(upTo: next - 1)
    }
    if let last = page.messages.last {
      log.continuity?.logRead(upTo: last.cursor.offset)
      append(page.messages, to: log)
    }
    if log.continuity!.tail < position.tail { repair(log) } else { follow(log) }
  }

  /// The log is gone and has no epoch: it gets one.
  private func makeEpoch(of log: ChannelLog) {
    port.verify([(log.channel, nil)]) { [weak self] in
      guard let self, logs[log.channel] === log else { return }
      switch $0 {
      case .failure: again { $0.makeEpoch(of: log) }
      case .success(let positions):
        if let position = positions.first { reset(log, to: position) }
      }
      flush()
    }
  }

  /// Another log stands in the old one's place: everybody is told, and goes on from the oldest held.
  private func reset(_ log: ChannelLog, to position: LogPosition) {
    demoteAll(log)
    clearRing(of: log)
    log.continuity = LogContinuity(Cursor(position.epoch, position.oldest - 1))
    log.oldest = position.oldest
    log.lastTime = nil
    repair(log)
  }

  /// The log is known to its end: the feed goes on from here.
  private func follow(_ log: ChannelLog) {
    if log.mustRepairAgain {
      log.mustRepairAgain = false
      return repair(log)
    }
    log.phase = .following
    let epoch = log.continuity!.epoch
    var early = log.early
    let stale = log.earlyBeforeRead
    log.early = []
    if stale > 0 {
      early = early.enumerated().filter { index, item in
        guard index < stale, case .message(let message) = item else { return true }
        return message.cursor.epoch == epoch
      }.map(\.element)
    }
    take(early, in: log)
    markResolversFresh(log)
    resolve(log)
    for subscription in Array(log.others) { pump(subscription) }
  }

  private func demoteAll(_ log: ChannelLog) {
    let cursor = log.continuity?.cursor
    while let subscription = log.live.last {
      subscription.stored = cursor
      log.change(subscription, to: .behind)
    }
  }

  private func again(_ work: @escaping (DeliveryShard) -> Void) {
    loop.assumeIsolated().scheduleTask(in: .milliseconds(settings.retryMS)) { [weak self] in
      guard let self else { return }
      work(self)
      flush()
    }
  }
}
