import Brokering
import Framing
import NIOCore
import SluiceClient
import Wire

@testable import Brokering

extension FuzzTarget {
  /// The JSON of a publish, and its way through everything that carries it.
  static let publishBodies = FuzzTarget(
    "publish-bodies",
    longest: 600,
    words: [
      "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u00", "\\ud83d", "true", "false", "null", "0", "-", "1.5",
      "e+9",
      "\u{e9}", "\u{20ac}", "\u{1f600}", "\r\n", String(repeating: "[", count: 63), "{\"a\":",
    ]
  ) { input in
    var data = ByteBuffer(bytes: input)
    let isValid = (try? JSONScanner.validate(data)) != nil
    try demandSame(isValid, ReferenceJSON.isValue(input), "JSON, and not JSON")
    guard isValid else { return }
    try demandPartsAreWhole(data, depth: 0)

    data.replaceLineBreaks()
    try demandSame(data.readableBytes, input.count, "another length without line breaks")
    try demand(ReferenceJSON.isValue(data.readableBytesView), "no JSON without line breaks")
    try demand(!data.readableBytesView.contains { $0 == 0x0a || $0 == 0x0d }, "a line break")
    try demandArrives(data)
  }

  /// What slices of a text say of themselves.
  private static func demandPartsAreWhole(_ text: ByteBuffer, depth: Int) throws {
    guard depth < 4 else { return }
    var fields: [JSONField] = []
    if let members = try? JSONScanner.members(of: text) {
      for member in members { fields += [JSONField(text, member.key), JSONField(text, member.value)] }
    } else if let elements = try? JSONScanner.elements(of: text) {
      fields = elements.map { JSONField(text, $0) }
    }
    for field in fields {
      try demand(ReferenceJSON.isValue(field.bytes.readableBytesView), "a part that is no JSON")
      switch field.kind {
      case .string:
        let string = try required(field.string, "a string without text")
        var again = ByteBuffer()
        again.writeJSONString(string)
        let object = try JSONObject(ByteBuffer(string: "{\"a\":\(String(buffer: again))}"))
        try demandSame(object["a"]?.string, string, "a string that is read back as another")
      case .number: try demand(field.number != nil, "a number without value")
      case .literal: try demand(field.isNull != (field.bool != nil), "a literal that is nothing")
      case .array, .object: try demandPartsAreWhole(field.bytes, depth: depth + 1)
      }
    }
  }

  /// As a message over a WebSocket, in an event stream and from Redis it is the same bytes.
  private static func demandArrives(_ data: ByteBuffer) throws {
    let channel = try required(ChannelName("a:b"), "a channel")
    let cursor = try required(Cursor("abcdefgh.7"), "a cursor")
    var text = ByteBuffer()
    ServerEvent.message(channel: channel, cursor: cursor, data: data, user: "u\"\n", time: 9).write(
      into: &text
    )
    guard case .message(channel, cursor, let said, "u\"\n", 9) = try ServerEvent(parsing: text) else {
      throw Broken(description: "another message")
    }
    // White space around a value is no part of it.
    let value = try JSONObject(ByteBuffer(string: "{\"a\":\(String(buffer: data))}"))["a"]?.bytes
    try demandSame(said, try required(value, "the value"), "other data")

    var stream = ByteBuffer()
    EventStreamEncoder.write(id: "a:b@abcdefgh.7", data: text, into: &stream)
    var parser = EventStreamParser()
    parser.append(stream)
    let event = ServerSentEvent(lastEventID: ByteBuffer(string: "a:b@abcdefgh.7"), data: text)
    try demandSame(try parser.next(), .event(event), "another event")

    let publication = Publication(channel: channel, data: data, user: "\u{e9}", key: nil)
    guard case .ephemeral(data, "\u{e9}", 5)? = RedisFrame.parse(RedisFrame.ephemeral(publication, time: 5))
    else {
      throw Broken(description: "another publication from Redis")
    }
  }
}
