import NIOCore
import SluiceClient
import Testing

@Suite struct EventStreamParserTests {
  private typealias Item = EventStreamParser.Item

  private static func event(_ name: String? = nil, _ data: String, id: String = "") -> EventStreamParser.Item
  {
    .event(ServerSentEvent(name: name, lastEventID: ByteBuffer(string: id), data: ByteBuffer(string: data)))
  }

  private static func comment(_ text: String) -> EventStreamParser.Item { .comment(ByteBuffer(string: text)) }

  private static let streams: [(stream: String, items: [EventStreamParser.Item])] = [
    ("", []),
    ("data: a\n\n", [event(nil, "a")]),
    ("data:a\r\rdata: b\r\n\r\ndata:  c\n\n", [event(nil, "a"), event(nil, "b"), event(nil, " c")]),
    ("\u{FEFF}data: a\n\n\u{FEFF}data: b\n\n", [event(nil, "a")]),
    ("data: a\ndata\ndata: b\n\n", [event(nil, "a\n\nb")]),
    ("data\n\n", [event(nil, "")]),
    ("data:\ndata:\n\n", [event(nil, "\n")]),
    (
      "event: gap\nid: a@b.1\ndata: {}\n\ndata: 1\n\n",
      [event("gap", "{}", id: "a@b.1"), event(nil, "1", id: "a@b.1")]
    ),
    ("id: 1\ndata: a\n\nid\ndata: b\n\n", [event(nil, "a", id: "1"), event(nil, "b")]),
    ("id: 1\n\ndata: a\n\n", [event(nil, "a", id: "1")]),
    ("id: a\u{0}b\ndata: a\n\n", [event(nil, "a")]),
    ("event: x\n\ndata: a\n\n", [event(nil, "a")]),
    ("event: x\nevent:\ndata: a\n\n", [event(nil, "a")]),
    (
      "retry: 2000\nretry: 1x\nretry:\nretry: -1\ndata: a\n\n",
      [.retry(milliseconds: 2_000), event(nil, "a")]
    ),
    (
      ":\n: keep\n:alive\n\ndata: a\n:in between\n\n",
      [comment(""), comment(" keep"), comment("alive"), comment("in between"), event(nil, "a")]
    ),
    ("nonsense: 1\n data: no\nDATA: no\ndata: ü€😀\n\n", [event(nil, "ü€😀")]),
    ("data: not finished\n", []),
    ("data: not finished", []),
    ("\n\n\r\n\r\rdata: a\n\n", [event(nil, "a")]),
    (
      "retry: 150\nevent: goaway\ndata: {\"type\":\"goaway\"}\r\n\r\n:\r\n",
      [.retry(milliseconds: 150), event("goaway", "{\"type\":\"goaway\"}"), comment("")]
    ),
  ]

  private func items(_ pieces: [ArraySlice<UInt8>]) throws -> [EventStreamParser.Item] {
    var parser = EventStreamParser()
    var items: [EventStreamParser.Item] = []
    for piece in pieces {
      parser.append(ByteBuffer(bytes: piece))
      while let item = try parser.next() { items.append(item) }
    }
    return items
  }

  @Test(arguments: streams.indices)
  func readsEveryStreamAtEverySplit(_ index: Int) throws {
    let (stream, expected) = Self.streams[index]
    let bytes = Array(stream.utf8)
    #expect(try items([bytes[...]]) == expected)
    #expect(try items(bytes.indices.map { bytes[$0...$0] }) == expected)
    for first in bytes.indices {
      for second in first..<bytes.count {
        #expect(try items([bytes[..<first], bytes[first..<second], bytes[second...]]) == expected)
      }
    }
  }

  @Test(arguments: [("0", 0), ("007", 7), ("60000", 60_000), ("9223372036854775807", Int.max)])
  func digitsAloneAreATime(_ text: String, _ milliseconds: Int) throws {
    let stream = Array("retry: \(text)\ndata: a\n\n".utf8)
    #expect(try items([stream[...]]) == [.retry(milliseconds: milliseconds), Self.event(nil, "a")])
  }

  /// What is no time, or more than a number holds, is as if it had not been said.
  @Test(arguments: [
    "-1", "+1", "1.5", "1e3", "0x10", "1_000", "1 ", " 1", "NaN", "nan", "inf", "Infinity", "٣", "²",
    "9223372036854775808", "99999999999999999999", String(repeating: "9", count: 400),
  ])
  func nothingElseIs(_ text: String) throws {
    let stream = Array("retry: \(text)\ndata: a\n\n".utf8)
    #expect(try items([stream[...]]) == [Self.event(nil, "a")])
  }

  @Test func holdsNoMoreThanItsLimit() throws {
    var parser = EventStreamParser(limit: 100)
    parser.append(ByteBuffer(string: "data: " + String(repeating: "a", count: 80)))
    #expect(try parser.next() == nil)
    parser.append(ByteBuffer(string: String(repeating: "a", count: 80)))
    #expect(throws: EventStreamParser.TooLong.self) { try parser.next() }
    var lines = EventStreamParser(limit: 100)
    lines.append(
      ByteBuffer(string: String(repeating: "data: " + String(repeating: "a", count: 40) + "\n", count: 3))
    )
    #expect(throws: EventStreamParser.TooLong.self) { try lines.next() }
  }

  /// A line too long is refused, however it comes and whatever mark it begins with.
  @Test func aLimitHoldsAtEverySplit() throws {
    for (mark, length, fits) in [
      ("", 94, true), ("", 95, false), ("\u{feff}", 91, true), ("\u{feff}", 92, false),
    ] {
      let bytes = Array("\(mark)data: \(String(repeating: "a", count: length))\n\n".utf8)
      for pieces in [[bytes], bytes.map { [$0] }] {
        var parser = EventStreamParser(limit: 100)
        var items = 0
        var isTooLong = false
        for piece in pieces where !isTooLong {
          parser.append(ByteBuffer(bytes: piece))
          do {
            while try parser.next() != nil { items += 1 }
          } catch {
            isTooLong = true
          }
        }
        #expect(isTooLong == !fits && items == (fits ? 1 : 0), "\(length) in \(pieces.count) pieces")
      }
    }
  }
}
