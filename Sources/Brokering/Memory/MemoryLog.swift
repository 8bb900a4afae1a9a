import DequeModule
import NIOCore
import Wire

/// One channel of the in-memory broker.
struct MemoryLog {
  var epoch = Epoch.random()
  var tail: UInt64 = 0
  private(set) var messages: Deque<Message> = []
  /// Answers to idempotency keys, and until when each is remembered (ms since 1970).
  private(set) var receipts: [ExactText: (receipt: Receipt, until: Int64)] = [:]
  /// When something last happened here (ms since 1970).
  var touched: Int64
  /// About the bytes of memory that it takes.
  private(set) var weight = MemoryLog.emptyWeight

  static let emptyWeight = 512

  /// What a message takes besides its data, and a receipt besides its key.
  private static let overhead = 160

  init(now: Int64) {
    touched = now
  }

  var position: LogPosition {
    LogPosition(epoch: epoch, tail: tail, oldest: messages.first?.cursor.offset ?? tail + 1)
  }

  mutating func append(_ publication: Publication, held: Int, now: Int64) -> Message {
    tail += 1
    let message = Message(
      cursor: Cursor(epoch, tail),
      data: publication.data,
      user: publication.user,
      time: now
    )
    messages.append(message)
    weight += MemoryLog.weight(of: message)
    while messages.count > held { dropOldest() }
    touched = now
    return message
  }

  mutating func remember(_ receipt: Receipt, for key: ExactText, until time: Int64) {
    if receipts.updateValue((receipt, time), forKey: key) == nil { weight += MemoryLog.weight(of: key) }
  }

  /// Forgets a receipt unless its key was answered anew since. Answers how much lighter the log is.
  mutating func forget(_ key: ExactText, until time: Int64) -> Int {
    guard receipts[key]?.until == time else { return 0 }
    receipts[key] = nil
    // A dictionary keeps the room that it once needed.
    if receipts.isEmpty { receipts = [:] }
    weight -= MemoryLog.weight(of: key)
    return MemoryLog.weight(of: key)
  }

  /// Answers how many messages it dropped.
  @discardableResult
  mutating func dropOlder(than time: Int64, atMost limit: Int = .max) -> Int {
    var count = 0
    while count < limit, let first = messages.first, first.time < time {
      dropOldest()
      count += 1
    }
    return count
  }

  private mutating func dropOldest() { weight -= MemoryLog.weight(of: messages.removeFirst()) }

  private static func weight(of message: Message) -> Int { message.data.storageCapacity + overhead }

  private static func weight(of key: ExactText) -> Int { key.text.utf8.count + overhead }

  /// Held messages stay, numbered anew from 1.
  mutating func renewEpoch() {
    epoch = Epoch.random()
    for index in messages.indices {
      messages[index].cursor = Cursor(epoch, UInt64(index + 1))
    }
    tail = UInt64(messages.count)
  }

  func page(_ range: HistoryRange, limit: Int) -> LogPage {
    let held: Range<Int>
    let oldest = position.oldest
    /// The index of the first message after `offset`.
    func index(after offset: UInt64) -> Int {
      offset < oldest ? 0 : Int(min(offset - oldest + 1, UInt64(messages.count)))
    }
    switch range {
    case .newest:
      held = max(0, messages.count - limit)..<messages.count
    case .since(.start):
      held = 0..<min(limit, messages.count)
    case .since(.cursor(let cursor)):
      guard cursor.epoch == epoch, cursor.offset <= tail else {
        return LogPage(position: position, messages: [])
      }
      let start = index(after: cursor.offset)
      held = start..<min(start + limit, messages.count)
    case .before(let cursor):
      guard cursor.epoch == epoch else { return LogPage(position: position, messages: []) }
      let end = cursor.offset == 0 ? 0 : index(after: cursor.offset - 1)
      held = max(0, end - limit)..<end
    }
    return LogPage(position: position, messages: Array(messages[fitting(held, backwards: range.isBackwards)]))
  }

  /// As much of a range as a page may have, nearest to where it begins.
  private func fitting(_ held: Range<Int>, backwards: Bool) -> Range<Int> {
    var left = LogPage.dataLimit
    var count = 0
    while count < held.count {
      let index = backwards ? held.upperBound - 1 - count : held.lowerBound + count
      left -= messages[index].data.readableBytes
      if left < 0, count > 0 { break }
      count += 1
    }
    return backwards ? held.suffix(count) : held.prefix(count)
  }
}

extension HistoryRange {
  /// Whether a page begins at its newest message.
  fileprivate var isBackwards: Bool {
    switch self {
    case .newest, .before: true
    case .since: false
    }
  }
}
