import DequeModule

/// Which names a feed wants, what it has asked the server for, and what the server has confirmed. Pure.
///
/// Wishes are reconciled, not queued: a name wanted and unwanted before the next request costs nothing.
struct RedisWantedNames {
  private struct Record {
    var isWanted: Bool
    /// What the server was asked last: to subscribe.
    var isAsked = false
    /// Requests without an answer.
    var unanswered = 0
    var isConfirmed = false
    /// In the queue of those to be asked for.
    var isQueued = false
    /// Wanted when the link came up, and not confirmed since.
    var isResuming = false
  }

  /// One request to the server.
  struct Request: Equatable {
    var subscribes: Bool
    var names: [String]
  }

  private var records: [String: Record] = [:]
  private var queue: Deque<String> = []
  private var unanswered = 0
  private var resuming = 0
  private let chunk: Int
  private let window: Int

  init(chunk: Int, window: Int) {
    self.chunk = max(1, chunk)
    self.window = max(1, window)
  }

  /// Names wanted now, confirmed or not.
  private(set) var count = 0

  /// Whether everything wanted when the link came up is confirmed.
  var isResumed: Bool { resuming == 0 }

  func isConfirmed(_ name: String) -> Bool {
    records[name].map { $0.isWanted && $0.isConfirmed } ?? false
  }

  mutating func want(_ name: String) {
    if records[name]?.isWanted == true { return }
    count += 1
    records[name, default: Record(isWanted: true)].isWanted = true
    enqueue(name)
  }

  mutating func unwant(_ name: String) {
    guard let record = records[name], record.isWanted else { return }
    count -= 1
    records[name]?.isWanted = false
    endResuming(name)
    enqueue(name)
  }

  private mutating func enqueue(_ name: String) {
    guard records[name]?.isQueued == false else { return }
    records[name]?.isQueued = true
    queue.append(name)
  }

  private mutating func endResuming(_ name: String) {
    guard records[name]?.isResuming == true else { return }
    records[name]?.isResuming = false
    resuming -= 1
  }

  /// A new connection: the server knows of nothing, everything wanted is to be asked for.
  mutating func linkUp() {
    linkDown()
    for name in records.keys {
      records[name]?.isResuming = true
      enqueue(name)
    }
    resuming = records.count
  }

  mutating func linkDown() {
    queue.removeAll()
    unanswered = 0
    resuming = 0
    records = records.filter { $0.value.isWanted }.mapValues { _ in Record(isWanted: true) }
  }

  /// What to ask the server for now, as far as the window allows.
  mutating func takeRequests() -> [Request] {
    var wanted: [String] = []
    var unwanted: [String] = []
    while unanswered < window, let name = queue.popFirst() {
      guard var record = records[name] else { continue }
      record.isQueued = false
      if record.isWanted != record.isAsked {
        record.isAsked = record.isWanted
        record.isConfirmed = false
        record.unanswered += 1
        unanswered += 1
        if record.isWanted { wanted.append(name) } else { unwanted.append(name) }
      }
      records[name] = record
      forgetIfDone(name)
    }
    return requests(unwanted, false) + requests(wanted, true)
  }

  private func requests(_ names: [String], _ subscribes: Bool) -> [Request] {
    stride(from: 0, to: names.count, by: chunk).map { start in
      Request(subscribes: subscribes, names: Array(names[start..<min(start + chunk, names.count)]))
    }
  }

  /// The server has answered a request for one name. True when the name is confirmed by it: subscribed, still
  /// wanted, and nothing asked since.
  mutating func answered(_ name: String, subscribed: Bool) -> Bool {
    guard var record = records[name], record.unanswered > 0 else { return false }
    unanswered -= 1
    record.unanswered -= 1
    let settles = record.unanswered == 0 && record.isAsked == subscribed
    record.isConfirmed = settles && subscribed
    records[name] = record
    guard settles, subscribed, record.isWanted else {
      forgetIfDone(name)
      return false
    }
    endResuming(name)
    return true
  }

  private mutating func forgetIfDone(_ name: String) {
    guard let record = records[name] else { return }
    if !record.isWanted, !record.isAsked, record.unanswered == 0, !record.isQueued { records[name] = nil }
  }

  /// Whether the server owes an answer.
  var isAwaiting: Bool { unanswered > 0 }

  /// Whether something waits to be asked for.
  var hasWork: Bool { !queue.isEmpty && unanswered < window }
}
