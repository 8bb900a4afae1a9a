import Brokering
import NIOCore
import Sessions
import Telemetry
import Wire

/// Bringing subscribers that are behind to the end of the log.
extension DeliveryShard {
  /// Writes what follows the cursor, as long as the connection takes it.
  func pump(_ subscription: Subscription) {
    let subscriber = subscription.subscriber
    let log = subscription.log
    guard subscription.state == .behind, !subscription.isEnded, subscriber.isStarted else { return }
    // A poll wants to know also that there is nothing.
    if subscriber.isPoll { touch(subscriber) }
    while hasRoom(subscriber) {
      guard let view = log.view, let cursor = subscription.stored else {
        if log.options.delivery == .ephemeral { log.change(subscription, to: .live) }
        return
      }
      let reason: GapReason = subscription.wasLive ? .overflow : .trimmed
      switch CatchUp.next(from: cursor, in: view, mode: log.options.delivery, reason: reason) {
      case .live:
        log.change(subscription, to: .live)
        return
      case .ring:
        let segment = log.ring.segment(after: cursor.offset)
        metrics.deliveries.add(Int(write(segment, after: cursor.offset, to: subscription) - cursor.offset))
      case .log:
        guard subscriber.reads < settings.readsAtOnce else {
          subscriber.isHeldBack = true
          return
        }
        log.change(subscription, to: .reading)
        log.readers.append(subscription)
        readForReaders(log)
        return
      case .gap(let gap):
        tell(gap, subscription)
      case .skip(let cursor, let missed):
        metrics.skipped.add(Int(missed))
        subscription.stored = cursor
        subscriber.stands(at: cursor, in: log.channel)
      }
    }
  }

  /// Lets each of a subscriber's channels write what it has, another one first each time.
  func pumpAll(_ subscriber: Subscriber) {
    let subscriptions = subscriber.subscriptions
    guard !subscriptions.isEmpty else { return }
    subscriber.isHeldBack = false
    let first = (Int(subscriber.turn) + 1) % subscriptions.count
    subscriber.turn = Int32(first)
    for subscription in subscriptions[first...] { pump(subscription) }
    for subscription in subscriptions[..<first] { pump(subscription) }
  }

  /// Goes on with what waited until the log was read for fewer of the subscriber's channels.
  func pumpHeldBack(_ subscriber: Subscriber) {
    if subscriber.isHeldBack, subscriber.reads < settings.readsAtOnce { pumpAll(subscriber) }
  }

  /// A gap is an event, and the cursor stands after it.
  func tell(_ gap: Gap, _ subscription: Subscription) {
    metrics.gaps.add()
    subscription.stored = gap.to
    subscription.subscriber.stands(at: gap.to, in: subscription.log.channel)
    write(.gap(channel: subscription.log.channel, gap), to: subscription.subscriber)
  }

  private func readForReaders(_ log: ChannelLog, after delayMS: Int64? = nil) {
    guard !log.isReading else { return }
    log.isReading = true
    loop.assumeIsolated().scheduleTask(in: .milliseconds(delayMS ?? settings.gatherMS)) { [weak self] in
      self?.read(log)
    }
  }

  /// One read from the earliest cursor serves all whose place it passes.
  private func read(_ log: ChannelLog) {
    log.readers.removeAll { $0.isEnded }
    guard logs[log.channel] === log, let view = log.view,
      let earliest = log.readers.compactMap({ $0.stored?.offset }).min()
    else {
      log.isReading = false
      return
    }
    let limit = fitting(log, after: earliest, before: view) ?? settings.readBytes / log.meanFrame
    metrics.logReads.add()
    let cursor = Cursor(view.epoch, earliest)
    port.read(log.channel, .since(.cursor(cursor)), limit: max(1, min(settings.readLimit, limit))) {
      [weak self] in
      guard let self, logs[log.channel] === log else { return }
      log.isReading = false
      switch $0 {
      case .failure: readForReaders(log, after: settings.retryMS)
      case .success(let page):
        log.learnHole(after: cursor, from: page)
        serve(log, absorb(page, in: log))
      }
      flush()
    }
  }

  /// How many messages lie between an offset and the ring, where these are few enough to be put into it.
  func fitting(_ log: ChannelLog, after offset: UInt64, before view: LogView) -> Int? {
    let missing = view.ringOldest - 1 - min(offset, view.ringOldest - 1)
    let room = max(0, settings.ringBytes - log.ring.weight)
    let (weight, isTooMuch) = Int(missing).multipliedReportingOverflow(by: log.meanFrame + 48)
    return isTooMuch || weight > room ? nil : Int(missing)
  }

  private func serve(_ log: ChannelLog, _ segment: Segment?) {
    let readers = log.readers
    log.readers = []
    for subscription in readers where !subscription.isEnded {
      log.change(subscription, to: .behind)
      if let segment, let cursor = subscription.stored, cursor.epoch == segment.epoch,
        segment.first <= cursor.offset + 1, cursor.offset < segment.last
      {
        metrics.deliveries.add(Int(write(segment, after: cursor.offset, to: subscription) - cursor.offset))
      }
      pump(subscription)
      pumpHeldBack(subscription.subscriber)
    }
  }

  /// Learns from a page of the log. The segment it makes is kept in the ring where it joins it and fits;
  /// otherwise it is for those who wait.
  func absorb(_ page: LogPage, in log: ChannelLog) -> Segment? {
    if let position = page.position, position.epoch == log.continuity?.epoch {
      log.oldest = max(log.oldest, position.oldest)
    }
    guard let view = log.view, log.phase != .repairing else { return nil }
    guard let position = page.position, position.epoch == view.epoch, position.tail >= view.tail else {
      repair(log)
      return nil
    }
    let older = page.messages.prefix { $0.cursor.offset < view.ringOldest }
    guard !older.isEmpty else { return nil }
    let segment = Segment(log.channel, older, scratch: &scratch)
    if segment.last + 1 == view.ringOldest, log.ring.weight + segment.weight <= settings.ringBytes {
      log.ring.prepend(segment)
      log.ringUsed = seconds
      account(segment.weight)
      if log.lastTime == nil, segment.last == view.tail { log.lastTime = older.last!.time }
    } else {
      log.meanRead = max(1, segment.frames.readableBytes / segment.entries.count)
    }
    return segment
  }
}

extension ChannelLog {
  /// What was asked for and did not come is not held, whatever the log says is its oldest.
  fileprivate func learnHole(after cursor: Cursor, from page: LogPage) {
    guard let position = page.position, position.epoch == cursor.epoch, cursor.epoch == continuity?.epoch
    else { return }
    let next = page.messages.first?.cursor.offset ?? position.tail + 1
    if next > cursor.offset + 1 { oldest = max(oldest, next) }
  }
}
