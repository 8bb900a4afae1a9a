import NIOCore
import Wire

@testable import SluiceClient

extension FuzzTarget {
  /// What a node says, as a client reads it: single events, and the answers of polls.
  static let serverEvents = FuzzTarget(
    "server-events",
    longest: 1_000,
    words: [
      #"{"type":"#, #""welcome""#, #""subscribed""#, #""unsubscribed""#, #""message""#, #""published""#,
      #""history""#,
      #""presence""#, #""join""#, #""leave""#, #""gap""#, #""goaway""#, #""refreshed""#, #""error""#,
      #""pong""#,
      #","id":1"#, #","channel":"a:b""#, #","cursor":"abcdefgh.1""#, #","resumed":true"#, #","data":"#,
      #","time":1"#,
      #","user":"u""#, #","messages":["#, #","members":["#, #","count":1"#, #","users":1"#,
      #","from":"abcdefgh.1""#,
      #","to":"abcdefgh.3""#, #","reason":"trimmed""#, #","reconnect_after_ms":5"#, #","code":"bad_json""#,
      #","message":"x""#, #","retry_after_ms":7"#, #","expires":9"#, #","since":3"#, #","info":{}"#,
      #","events":["#,
      #"{"cursor":""#, "]", "}",
    ]
  ) { input in
    let text = ByteBuffer(bytes: input)
    if let answer = PollAnswer(text) {
      try demandSame(answer.positions.isEmpty, answer.cursor.isEmpty, "positions without a cursor")
      for event in answer.events {
        try demand(ReferenceJSON.isValue(event.readableBytesView), "an event that is no JSON")
      }
    }
    let glance = text.withUnsafeReadableBytes { MessageGlance($0) }
    guard let event = try? ServerEvent(parsing: text) else { return }
    var written = ByteBuffer()
    event.write(into: &written)
    var again = ByteBuffer()
    try ServerEvent(parsing: written).write(into: &again)
    try demandSame(String(buffer: again), String(buffer: written), "written, it is read as another")

    if let glance, case .message(let channel, let cursor, let data, _, _) = event, input.hasCanonicalOrder {
      try demandSame(
        String(decoding: input[glance.channel], as: UTF8.self),
        channel.text,
        "a glance's channel"
      )
      try demandSame(
        Cursor(try required(cursor, "a cursor").epoch, glance.offset),
        cursor,
        "a glance's cursor"
      )
      try demandSame(ByteBuffer(bytes: input[glance.data]), data, "a glance's data")
    }
  }
}

extension [UInt8] {
  /// As nodes write messages, each member once: a glance is only for those.
  fileprivate var hasCanonicalOrder: Bool {
    guard let event = try? ServerEvent(parsing: ByteBuffer(bytes: self)) else { return false }
    var written = ByteBuffer()
    event.write(into: &written)
    return written.readableBytesView.elementsEqual(self)
  }
}
