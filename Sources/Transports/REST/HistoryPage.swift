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
  /// Pages that are read at once, at the most, and no more than clients may leave unread: each may have a mebibyte. And
  /// how many may wait for that.
  static let mostReadsAtOnce = 100
  private var readsAtOnce: Int { max(2, min(Worker.mostReadsAtOnce, entry.limits.unreadBytes >> 20)) }
  static let readsWaiting = 10_000
  /// After a page of so many bytes the loop turns to others first.
  private static let largePage = 128 << 10
  /// For each of so many bytes a page is charged once more.
  private static let chargedBytes = 64 << 10

  /// A page costs the cluster the same on every transport, so that it is charged to the caller's address on all: what it
  /// has in it afterwards, also where the answer has no body.
  func readHistory(
    of channel: ChannelName,
    _ range: HistoryRange,
    limit: Int?,
    by caller: Caller,
    over transport: TransportKind,
    _ done: @escaping (Result<HistoryPage, ClientError>) -> Void
  ) {
    if let refusal = refusalToRead(by: caller) { return done(.failure(refusal)) }
    permit(.history, channel, by: caller, over: transport, member: nil) { [self] error in
      if let error { return done(.failure(error)) }
      readHistory(of: channel, range, limit: limit, by: caller, done)
    }
  }

  private func readHistory(
    of channel: ChannelName,
    _ range: HistoryRange,
    limit: Int?,
    by caller: Caller,
    _ done: @escaping (Result<HistoryPage, ClientError>) -> Void
  ) {
    guard reads < readsAtOnce else {
      guard waitingReads.count < Worker.readsWaiting else {
        context.metrics.over.reads.add()
        return done(.failure(ClientError(.overloaded, "too many read logs at once; try again")))
      }
      return waitingReads.append { [self] in
        readHistory(of: channel, range, limit: limit, by: caller, done)
      }
    }
    reads += 1
    let answer = { [self] (page: Result<LogPage, ClientError>) in
      inTurn { [self] in
        reads -= 1
        done(page.map { HistoryPage($0, range) })
        if case .success(let page) = page {
          let bytes = page.bytes
          charge(reads: bytes / Worker.chargedBytes, to: caller)
          if bytes >= Worker.largePage { rest() }
        }
        readOn()
      }
    }
    let limit = limit ?? 100
    readLog(of: channel, range, limit: limit) { [self] in
      guard case .success(let page) = $0, let asked = range.cursor, asked.epoch != page.position?.epoch else {
        return answer($0)
      }
      guard page.position == nil else {
        return readLog(of: channel, range.ofAnotherEpoch, limit: limit, answer)
      }
      guard context.namespaces[channel].delivery != .ephemeral else { return answer($0) }
      beginEpoch(of: channel, by: caller) { [self] in
        if let error = $0 { return answer(.failure(error)) }
        readLog(of: channel, range.ofAnotherEpoch, limit: limit, answer)
      }
    }
  }

  private func readLog(
    of channel: ChannelName,
    _ range: HistoryRange,
    limit: Int,
    _ done: @escaping (Result<LogPage, ClientError>) -> Void
  ) {
    shard.port.read(channel, range, limit: limit) {
      done($0.mapError { ClientError($0, "history cannot be read") })
    }
  }

  /// Who comes with a cursor and finds no log is told where he stands, as a subscriber is, and is charged the same: it is
  /// a name that the cluster keeps for a while.
  private func beginEpoch(
    of channel: ChannelName,
    by caller: Caller,
    _ done: @escaping (ClientError?) -> Void
  ) {
    if let refusal = refusalToFollow(CollectionOfOne(channel), by: caller) { return done(refusal) }
    shard.port.verify([(channel, nil)]) {
      switch $0 {
      case .failure(let error): done(ClientError(error, "history cannot be read"))
      case .success: done(nil)
      }
    }
  }
}

extension Worker {
  /// Answers with a page that is there, behind those that came before it.
  fileprivate func inTurn(_ answer: @escaping () -> Void) {
    if isResting { readPages.append(answer) } else { answer() }
  }

  /// A large page takes as long as a thousand messages do: the next is written when others had their turn.
  fileprivate func rest() {
    isResting = true
    entry.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { [weak self] in
      guard let self else { return }
      isResting = false
      while !isResting, let next = readPages.popFirst() { next() }
    }
  }

  /// Lets those that wait go on. What is answered at once, as an error is, calls this from within: one loop serves all.
  fileprivate func readOn() {
    guard !isReadingOn else { return }
    isReadingOn = true
    while reads < readsAtOnce, let next = waitingReads.popFirst() { next() }
    isReadingOn = false
  }
}

extension HistoryPage {
  init(_ page: LogPage, _ range: HistoryRange) {
    messages = page.messages
    guard let position = page.position else { return }
    let first = messages.first?.cursor.offset
    let last = messages.last?.cursor.offset
    let start = Cursor(position.epoch, (first ?? position.tail + 1) - 1)
    switch range {
    case .newest, .since(.start): cursor = position.cursor
    case .before(let asked) where asked.epoch == position.epoch:
      cursor = Cursor(position.epoch, min(max(asked.offset, 1) - 1, position.tail))
    case .before(let asked):
      gap = Gap(from: asked, to: start, reason: .reset)
      cursor = start
    case .since(.cursor(let asked)):
      if asked.epoch != position.epoch || asked.offset > position.tail {
        gap = Gap(from: asked, to: start, reason: .reset)
      } else if asked.offset < start.offset {
        gap = Gap(from: asked, to: start, reason: .trimmed)
      }
      cursor = gap == nil ? asked : start
    }
    if let last { cursor = Cursor(position.epoch, last) }
    let isEmpty = position.oldest > position.tail
    hasNewer = !isEmpty && cursor.map { $0.offset < position.tail } ?? false
    hasOlder = first.map { $0 > position.oldest } ?? false
  }
}

extension LogPage {
  fileprivate var bytes: Int { messages.reduce(0) { $0 + $1.data.readableBytes } }
}

extension HistoryRange {
  /// The cursor that was asked for.
  fileprivate var cursor: Cursor? {
    switch self {
    case .newest, .since(.start): nil
    case .since(.cursor(let cursor)), .before(let cursor): cursor
    }
  }

  /// What is read instead where the cursor is no place in the log.
  fileprivate var ofAnotherEpoch: HistoryRange {
    switch self {
    case .newest, .before: .newest
    case .since: .since(.start)
    }
  }
}
