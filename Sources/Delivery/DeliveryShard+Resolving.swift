import Brokering
import NIOCore
import Sessions
import Telemetry
import Wire

/// Answering subscribes.
extension DeliveryShard {
  /// Answers every subscribe that can be answered, and asks the log for the others.
  func resolve(_ log: ChannelLog) {
    guard !log.resolvers.isEmpty else { return }
    var waiting: [Resolver] = []
    var reads: [Since] = []
    var refreshes = false
    let resolvers = log.resolvers
    log.resolvers = []
    for resolver in resolvers where !resolver.subscription.isEnded {
      guard let view = freshView(of: log) else {
        answer(resolver, Subscribed(cursor: nil, resumed: resolver.since == .start), gap: nil)
        continue
      }
      switch Resumption.answer(
        resolver.since,
        in: view,
        mode: log.options.delivery,
        isFresh: resolver.isFresh
      )
      {
      case .start(let cursor, let resumed, let gap):
        answer(resolver, Subscribed(cursor: gap == nil ? cursor : gap!.to, resumed: resumed), gap: gap)
      case .read(let since):
        reads.append(since)
        waiting.append(resolver)
      case .refresh:
        refreshes = true
        waiting.append(resolver)
      }
    }
    log.resolvers = waiting + log.resolvers
    guard !waiting.isEmpty else { return }
    if refreshes, log.phase == .following {
      metrics.resumeReads.add()
      repair(log)
    }
    if !reads.isEmpty, !log.isResolving {
      log.isResolving = true
      loop.assumeIsolated().scheduleTask(in: .milliseconds(settings.gatherMS)) { [weak self] in
        self?.readForResolvers(log)
      }
    }
  }

  /// The refreshed log answers those who had seen more than this node.
  func markResolversFresh(_ log: ChannelLog) {
    for index in log.resolvers.indices { log.resolvers[index].isFresh = true }
  }

  private func answer(_ resolver: Resolver, _ answer: Subscribed, gap: Gap?) {
    let subscription = resolver.subscription
    if resolver.since != nil {
      metrics.resumes.add()
      if answer.resumed { metrics.resumed.add() }
    }
    subscription.stored = answer.cursor
    subscription.openingGap = gap
    subscription.log.change(subscription, to: .behind)
    resolver.done(.success(answer))
    if !subscription.isEnded, subscription.subscriber.isStarted { begin(subscription) }
  }

  /// Tells an opening gap, and delivers.
  func begin(_ subscription: Subscription) {
    if let cursor = subscription.stored {
      subscription.subscriber.stands(at: cursor, in: subscription.log.channel)
    }
    if let gap = subscription.openingGap {
      subscription.openingGap = nil
      tell(gap, subscription)
    }
    pump(subscription)
  }

  /// One read, from the earliest position that is asked for, answers all who wait at this moment.
  private func readForResolvers(_ log: ChannelLog) {
    guard logs[log.channel] === log, let view = log.view else { return }
    guard !log.resolvers.isEmpty else {
      log.isResolving = false
      return tellAsked(log)
    }
    var earliest: Since?
    for resolver in log.resolvers where !resolver.isFresh {
      switch (resolver.since, earliest) {
      case (.cursor(let cursor)?, .cursor(let known)?) where cursor.epoch == view.epoch:
        earliest = .cursor(Cursor(view.epoch, min(cursor.offset, known.offset)))
      case (.cursor(let cursor)?, nil) where cursor.epoch == view.epoch: earliest = .cursor(cursor)
      case (nil, _), (.cursor?, .cursor?): break
      case (.start?, _), (.cursor?, _): earliest = .start
      }
    }
    let count = log.resolvers.count
    metrics.logReads.add()
    metrics.resumeReads.add()
    // What the log holds is the question. What is in between is read with it only if the ring takes it: whoever asked
    // may be gone, or read nothing, before it is wanted.
    let before = if case .cursor(let cursor)? = earliest { cursor.offset } else { view.oldest - 1 }
    let limit = max(1, min(settings.readLimit, fitting(log, after: before, before: view) ?? 1))
    port.read(log.channel, .since(earliest ?? .start), limit: limit) { [weak self] result in
      guard let self, logs[log.channel] === log else { return }
      log.isResolving = false
      switch result {
      case .failure(let error):
        let failed = log.resolvers.prefix(count)
        log.resolvers.removeFirst(failed.count)
        for resolver in failed where !resolver.subscription.isEnded {
          let subscription = resolver.subscription
          _ = unsubscribe(subscription.subscriber, from: log.channel)
          resolver.done(.failure(ClientError(.unavailable, "the channel's log cannot be read: \(error)")))
        }
      case .success(let page):
        for index in log.resolvers.indices.prefix(count) { log.resolvers[index].isFresh = true }
        _ = absorb(page, in: log)
      }
      resolve(log)
      tellAsked(log)
      flush()
    }
  }

  /// What is known of the log, without messages that have grown too old meanwhile.
  private func freshView(of log: ChannelLog) -> LogView? {
    guard var view = log.view else { return nil }
    let age = Int64(log.options.historyTTL) * 1_000
    if let expired = log.ring.newest(before: port.clock.milliseconds() - age) {
      view.oldest = max(view.oldest, expired + 1)
      view.ringOldest = max(view.ringOldest, expired + 1)
    }
    return view
  }
}
