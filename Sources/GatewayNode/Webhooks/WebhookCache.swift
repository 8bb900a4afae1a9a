internal import NIOCore

/// Answers that still count, a bounded number of them and of their bytes. Pure.
struct WebhookCache {
  private struct Entry {
    var answer: WebhookAnswer
    var until: NIODeadline
    var bytes: Int
  }

  private var entries: [[UInt8]: Entry] = [:]
  private let most: Int
  private let mostBytes: Int
  /// About what the entries take.
  private(set) var bytes = 0

  init(most: Int, mostBytes: Int) {
    self.most = most
    self.mostBytes = mostBytes
  }

  var count: Int { entries.count }

  mutating func answer(to key: [UInt8], now: NIODeadline) -> WebhookAnswer? {
    guard let entry = entries[key] else { return nil }
    guard entry.until > now else {
      forget(key)
      return nil
    }
    return entry.answer
  }

  mutating func keep(_ answer: WebhookAnswer, to key: [UInt8], until: NIODeadline, now: NIODeadline) {
    guard until > now else { return }
    let size = answer.size + key.count
    forget(key)
    if !hasRoom(for: size) {
      entries = entries.filter { $0.value.until > now }
      bytes = entries.values.reduce(0) { $0 + $1.bytes }
      // Still too many: which of them are asked for again is anybody's guess.
      if !hasRoom(for: size) {
        entries.removeAll(keepingCapacity: true)
        bytes = 0
      }
    }
    entries[key] = Entry(answer: answer, until: until, bytes: size)
    bytes += size
  }

  private func hasRoom(for size: Int) -> Bool { entries.count < most && bytes + size <= mostBytes }

  private mutating func forget(_ key: [UInt8]) {
    if let entry = entries.removeValue(forKey: key) { bytes -= entry.bytes }
  }
}
