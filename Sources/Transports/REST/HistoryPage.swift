import Admission
import Delivery
import Brokering
import NIOCore
import Telemetry
import Wire

/// A page of a channel's log as a client gets it.
struct HistoryPage {
  var messages: [Message]
  /// Where a stream would go on after these messages; nil where the channel has no epoch.
  var cursor: Cursor?
  /// What was asked for and is not held.
  var gap: Gap?
  /// Whether the log holds messages on either side of the page.
  var hasNewer = false
  var hasOlder = false
}

extension Worker {
  /// Pages that are read at once, at the most: each may have a mebibyte. And how many may wait for that.
  static let readsAtOnce = 100
  static let readsWaiting = 10_000

  func readHistory(
    of channel: ChannelName,
    _ range: HistoryRange,
    limit: Int?,
    by caller: Caller,
    over transport: TransportKind,
    _ done: @escaping (Result<HistoryPage, ClientError>) -> Void
  ) {
    permit(.history, channel, by: caller, over: transport, member: nil) { [self] error in
      if let error { return done(.failure(error)) }
      readHistory(of: channel, range, limit: limit, done)
    }
  }

  private func readHistory(
    of channel: ChannelName,
    _ range: HistoryRange,
    limit: Int?,
    _ done: @escaping (Result<HistoryPage, ClientError>) -> Void
  ) {
    guard reads < Worker.readsAtOnce else {
      guard waitingReads.count < Worker.readsWaiting else {
        context.metrics.over.reads.add()
        return done(.failure(ClientError(.overloaded, "too many read logs at once; try again")))
      }
      return waitingReads.append { [self] in readHistory(of: channel, range, limit: limit, done) }
    }
    reads += 1
    let answer = done
    let done = { [self] (page: Result<HistoryPage, ClientError>) in
      reads -= 1
      answer(page)
      readOn()
    }
    let port = shard.port!
    let limit = limit ?? 100
    port.read(channel, range, limit: limit) {
      switch $0 {
      case .failure(let error): done(.failure(ClientError(error, "history cannot be read")))
      case .success(let page):
        if case .since(.cursor(let cursor)) = range, let position = page.position,
          cursor.epoch != position.epoch
        {
          port.read(channel, .since(.start), limit: limit) {
            done($0.map { HistoryPage($0, range) }.mapError { ClientError($0, "history cannot be read") })
          }
        } else {
          done(.success(HistoryPage(page, range)))
        }
      }
    }
  }
}

extension Worker {
  /// Lets those that wait go on. What is answered at once, as an error is, calls this from within: one loop serves all.
  fileprivate func readOn() {
    guard !isReadingOn else { return }
    isReadingOn = true
    while reads < Worker.readsAtOnce, let next = waitingReads.popFirst() { next() }
    isReadingOn = false
  }
}

extension HistoryPage {
  init(_ page: LogPage, _ range: HistoryRange) {
    messages = page.messages
    guard let position = page.position else { return }
    let first = messages.first?.cursor.offset
    let last = messages.last?.cursor.offset
    if let last { cursor = Cursor(position.epoch, last) }
    switch range {
    case .newest: cursor = cursor ?? position.cursor
    case .before(let asked): cursor = cursor ?? asked
    case .since(.start): cursor = cursor ?? position.cursor
    case .since(.cursor(let asked)):
      let start = Cursor(position.epoch, (first ?? position.tail + 1) - 1)
      if asked.epoch != position.epoch || asked.offset > position.tail {
        gap = Gap(from: asked, to: start, reason: .reset)
      } else if asked.offset < start.offset {
        gap = Gap(from: asked, to: start, reason: .trimmed)
      }
      cursor = cursor ?? (gap == nil ? asked : start)
    }
    hasNewer = last.map { $0 < position.tail } ?? false
    hasOlder = first.map { $0 > position.oldest } ?? false
  }
}
