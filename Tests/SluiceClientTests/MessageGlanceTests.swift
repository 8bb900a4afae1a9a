import NIOCore
import Testing
import Wire

@testable import SluiceClient

@Suite struct MessageGlanceTests {
  private static let room = ChannelName("room:a")!
  private static let cursor = Cursor("k3f9x2ab.1042")!

  private func written(_ data: String, user: String? = nil, cursor: Cursor? = cursor) -> ByteBuffer {
    var buffer = ByteBuffer()
    ServerEvent.message(
      channel: Self.room,
      cursor: cursor,
      data: ByteBuffer(string: data),
      user: user,
      time: 1_790_000_000_000
    ).write(into: &buffer)
    return buffer
  }

  @Test(arguments: ["{}", "1", "null", #"{"text":"hi"}"#, #"[",\"time\":5}"]"#, #"{"time":1,"user":"x"}"#])
  func seesWhatTheScannerSees(_ data: String) throws {
    let text = written(data)
    try text.withUnsafeReadableBytes { bytes in
      let glance = try #require(MessageGlance(bytes))
      #expect(String(decoding: bytes[glance.channel], as: UTF8.self) == "room:a")
      #expect(glance.epoch == Self.cursor.epoch.bytes)
      #expect(glance.offset == 1042)
      #expect(String(decoding: bytes[glance.data], as: UTF8.self) == data)
    }
  }

  @Test func leavesWhatIsNotCertainToTheScanner() {
    let texts = [
      written("1", user: "ada"), written("\"a string\""), written("1", cursor: nil),
      ByteBuffer(string: #"{"type":"welcome"}"#), ByteBuffer(string: ""), ByteBuffer(string: "{}"),
      ByteBuffer(string: #"{"type":"message","cursor":"k3f9x2ab.1","channel":"a","data":1,"time":1}"#),
      ByteBuffer(
        string: #"{"type":"message","channel":"a","cursor":"k3f9x2ab.1","data":1,"time":1,"new":2}"#
      ),
    ]
    for text in texts {
      #expect(text.withUnsafeReadableBytes { MessageGlance($0) == nil }, "\(String(buffer: text))")
    }
  }

  @Test func readsNoByteOutsideOfAnyPrefix() {
    let whole = written(#"{"text":"hi"}"#)
    for length in 0..<whole.readableBytes {
      let prefix = whole.getSlice(at: 0, length: length)!
      #expect(prefix.withUnsafeReadableBytes { MessageGlance($0) == nil })
    }
  }
}
