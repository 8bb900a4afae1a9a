import Framing
import NIOCore
import Wire

/// Telling who comes and who goes.
extension DeliveryShard {
  /// Tells a join or a leave of `member` to all who want to hear it: at once, or in channels whose events are
  /// batched, together with what else happens until then.
  func tellPresence(_ event: ServerEvent, of member: String, in log: ChannelLog) {
    guard log.options.presenceEvents == .batched else { return broadcastPresence([(member, event)], in: log) }
    if log.gathered.isEmpty {
      loop.assumeIsolated().scheduleTask(in: .milliseconds(settings.presenceGatherMS)) { [weak self] in
        guard let self else { return }
        let news = log.gathered.takeAll()
        broadcastPresence(news, in: log)
        flush()
      }
    }
    log.gathered.append(event, of: member)
  }

  /// Encodes once for all WebSockets. Whoever takes nothing at the moment, or not all of it, is told the rest when it
  /// does.
  private func broadcastPresence(_ news: [(member: String, event: ServerEvent)], in log: ChannelLog) {
    var frames = ByteBuffer()
    var behind: [(subscription: Subscription, told: Int)] = []
    for subscription in log.listeners
    where subscription.state != .resolving && subscription.subscriber.isStarted {
      let subscriber = subscription.subscriber
      guard subscription.presenceFrom == nil, hasRoom(subscriber) else {
        behind.append((subscription, 0))
        continue
      }
      guard case .webSocket = subscriber.representation else {
        let told = tell(news, to: subscriber)
        if told < news.count { behind.append((subscription, told)) }
        continue
      }
      if frames.readableBytes == 0 {
        for (_, event) in news {
          scratch.clear()
          event.write(into: &scratch)
          WebSocketFrame.write(.text, payload: scratch, into: &frames)
        }
      }
      subscriber.write(frames)
      touch(subscriber)
    }
    guard !behind.isEmpty else { return }
    for (subscription, told) in behind where subscription.presenceFrom == nil && !subscription.isEnded {
      subscription.presenceFrom = log.missed.next + UInt64(told)
      log.missing += 1
    }
    for (member, event) in news { log.missed.append(event, of: member) }
    // What has just happened makes nobody too slow, however much it is: nobody had the time to read it.
    if log.missed.count > max(settings.missedPresence, news.count) {
      giveUpSlowListeners(of: log, keeping: max(settings.missedPresence / 2, news.count))
    }
  }

  /// Writes as much as the connection takes.
  /// - Returns: how many of them.
  private func tell(_ news: [(member: String, event: ServerEvent)], to subscriber: Subscriber) -> Int {
    for (index, item) in news.enumerated() {
      guard hasRoom(subscriber) else { return index }
      write(item.event, to: subscriber)
    }
    return news.count
  }

  /// More is untold than a channel keeps: who lacks the older part is too slow, and the others do not need it.
  private func giveUpSlowListeners(of log: ChannelLog, keeping count: Int) {
    log.missed.keepNewest(count)
    for subscription in log.listeners {
      guard let from = subscription.presenceFrom, from < log.missed.oldest else { continue }
      forgetMissedPresence(subscription)
      subscription.subscriber.onTooSlow?()
    }
  }

  /// The connection takes bytes again: it is told what it has missed, as long as it does.
  func tellMissedPresence(_ subscriber: Subscriber) {
    for subscription in subscriber.subscriptions {
      let log = subscription.log
      while let from = subscription.presenceFrom, hasRoom(subscriber) {
        guard let news = log.missed.first(from: from) else {
          forgetMissedPresence(subscription)
          break
        }
        write(news.event, to: subscriber)
        subscription.presenceFrom = news.serial + 1
      }
    }
  }

  /// The subscription is not owed anything any more.
  func forgetMissedPresence(_ subscription: Subscription) {
    guard subscription.presenceFrom != nil else { return }
    subscription.presenceFrom = nil
    subscription.log.missing -= 1
    if subscription.log.missing == 0 { subscription.log.missed.clear() }
  }
}
