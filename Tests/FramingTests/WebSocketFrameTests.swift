import Framing
import NIOCore
import Testing
import Wire

struct WebSocketFrameTests {
  @Test(arguments: [0, 1, 125, 126, 127, 65535, 65536])
  func isWhatTheDecoderReads(length: Int) {
    let payload = ByteBuffer(bytes: (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    for mask in [nil, WebSocketMask(0x8001_02FF)] {
      var bytes = ByteBuffer()
      WebSocketFrame.write(.binary, payload: payload, mask: mask, into: &bytes)
      let header = WebSocketFrame.headerLength(payloadLength: length, isMasked: mask != nil)
      #expect(bytes.readableBytes == header + length)
      let maskBytes = mask == nil ? nil : [0x80, 0x01, 0x02, 0xFF] as [UInt8]
      #expect(
        Array(bytes.readableBytesView)
          == RawFrame(opcode: 2, payload: Array(payload.readableBytesView), mask: maskBytes).bytes
      )
      let run = DecoderRun(Array(bytes.readableBytesView), role: mask == nil ? .client : .server)
      #expect(run.events == [.message(.binary, payload)])
    }
  }

  @Test func appendsAfterWhatIsThere() {
    var bytes = ByteBuffer(bytes: [9, 9, 9])
    bytes.moveReaderIndex(forwardBy: 1)
    WebSocketFrame.write(text: "Hello", mask: WebSocketMask(0x37FA_213D), into: &bytes)
    #expect(Array(bytes.readableBytesView) == [9, 9] + RawFrame.text("Hello").bytes)
  }

  @Test func writesFragments() {
    var bytes = ByteBuffer()
    WebSocketFrame.write(.text, isFinal: false, payload: ByteBuffer(string: "a"), into: &bytes)
    WebSocketFrame.write(.continuation, payload: ByteBuffer(string: "b"), into: &bytes)
    #expect(DecoderRun(Array(bytes.readableBytesView), role: .client).events == [.text("ab")])
  }

  @Test func hasAPingReady() {
    #expect(
      DecoderRun(Array(WebSocketFrame.ping.readableBytesView), role: .client).events == [.ping(ByteBuffer())]
    )
  }

  @Test(arguments: [
    ("", ""), ("bye", "bye"),
    (String(repeating: "x", count: 200), String(repeating: "x", count: 123)),
    (String(repeating: "\u{20ac}", count: 50), String(repeating: "\u{20ac}", count: 41)),
    ("ab" + String(repeating: "\u{1F600}", count: 40), "ab" + String(repeating: "\u{1F600}", count: 30)),
  ])
  func cutsACloseReasonBetweenCharacters(reason: String, sent: String) {
    var bytes = ByteBuffer()
    WebSocketFrame.writeClose(code: .policy, reason: reason, into: &bytes)
    #expect(
      DecoderRun(Array(bytes.readableBytesView), role: .client).events == [
        .close(code: .policy, reason: sent)
      ]
    )
  }

  @Test func closesWithoutACode() {
    var bytes = ByteBuffer()
    WebSocketFrame.writeClose(code: nil, into: &bytes)
    #expect(Array(bytes.readableBytesView) == [0x88, 0x00])
  }
}
