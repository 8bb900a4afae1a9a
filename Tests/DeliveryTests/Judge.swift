import NIOCore
import Wire

/// Follows one subscriber of one channel, and says what is wrong with what it was sent.
struct Judge {
  let mode: DeliveryMode
  /// The last message had, or told to be missing.
  var position: Cursor?
  var gaps = 0
  private(set) var complaints: [String] = []

  init(mode: DeliveryMode) {
    self.mode = mode
  }

  mutating func complain(_ complaint: String) {
    complaints.append(complaint)
  }

  mutating func take(_ event: JSONObject, log: [Cursor: String]) {
    switch event["type"]?.string {
    case "message":
      let cursor = Cursor(event["cursor"]!.string!)!
      let data = String(buffer: event["data"]!.bytes)
      if let expected = log[cursor], expected != data {
        complaints.append("\(cursor) is \(data), not \(expected)")
      }
      if log[cursor] == nil { complaints.append("\(cursor) was never published") }
      guard let position else { return complaints.append("\(cursor) came before subscribed") }
      let follows =
        switch mode {
        case .latest: cursor.epoch != position.epoch || cursor.offset > position.offset
        default: cursor.epoch == position.epoch && cursor.offset == position.offset + 1
        }
      if !follows { complaints.append("\(cursor) came after \(position)") }
      self.position = cursor
    case "gap":
      gaps += 1
      let from = Cursor(event["from"]!.string!)!
      if from != position { complaints.append("gap from \(from) at \(position!)") }
      if mode == .latest { complaints.append("a gap in a log of one") }
      position = Cursor(event["to"]!.string!)!
    default: complaints.append("unexpected \(event["type"]?.string ?? "event")")
    }
  }
}
