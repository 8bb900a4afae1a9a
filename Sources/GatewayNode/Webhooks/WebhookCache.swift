internal import NIOCore

/// Answers that still count, a bounded number of them. Pure.
struct WebhookCache {
  private struct Entry {
    var answer: WebhookAnswer
    var until: NIODeadline
  }

  private var entries: [String: Entry] = [:]
  private let most: Int

  init(most: Int) {
    self.most = most
  }

  var count: Int { entries.count }

  mutating func answer(to key: String, now: NIODeadline) -> WebhookAnswer? {
    guard let entry = entries[key] else { return nil }
    guard entry.until > now else {
      entries[key] = nil
      return nil
    }
    return entry.answer
  }

  mutating func keep(_ answer: WebhookAnswer, to key: String, until: NIODeadline, now: NIODeadline) {
    guard until > now else { return }
    if entries.count >= most {
      entries = entries.filter { $0.value.until > now }
      // Still too many: which of them are asked for again is anybody's guess.
      if entries.count >= most { entries.removeAll(keepingCapacity: true) }
    }
    entries[key] = Entry(answer: answer, until: until)
  }
}
