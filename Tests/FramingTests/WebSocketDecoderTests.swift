import Framing
import NIOCore
import Testing
import Wire

struct WebSocketDecoderTests {
  @Test func readsTheExamplesOfTheRFC() {
    #expect(DecoderRun([0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F], role: .client).events == [.text("Hello")])
    #expect(
      DecoderRun([0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]).events == [
        .text("Hello")
      ]
    )
    #expect(
      DecoderRun([0x01, 0x03, 0x48, 0x65, 0x6C, 0x80, 0x02, 0x6C, 0x6F], role: .client).events == [
        .text("Hello")
      ]
    )
    #expect(
      DecoderRun([0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F], role: .client).events
        == [.ping(ByteBuffer(string: "Hello"))]
    )
    #expect(
      DecoderRun([0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]).events
        == [.pong(ByteBuffer(string: "Hello"))]
    )
    for length in [256, 65536] {
      let frame = RawFrame(opcode: 2, payload: (0..<length).map { UInt8(truncatingIfNeeded: $0) }, mask: nil)
      #expect(
        DecoderRun(frame.bytes, role: .client).events == [.message(.binary, ByteBuffer(bytes: frame.payload))]
      )
    }
  }

  /// Control frames between fragments, a character and a mask cut by them, empty fragments, then a close.
  static let conversation: [RawFrame] = [
    .text("plain, and longer than one word of eight bytes"),
    RawFrame(isFinal: false, opcode: 1, payload: Array("gr\u{fc}".utf8.dropLast())),
    RawFrame(opcode: 9, payload: [1, 2, 3]),
    RawFrame(isFinal: false, opcode: 0),
    RawFrame(isFinal: false, opcode: 0, payload: [0xBC, 0xF0, 0x9F]),
    RawFrame(opcode: 10),
    RawFrame(opcode: 0, payload: [0x98, 0x80]),
    RawFrame(opcode: 2),
    RawFrame(opcode: 2, payload: Array(0..<200)),
    RawFrame.close([0x03, 0xE8] + Array("bye \u{1F44B}".utf8)),
  ]

  static let conversationEvents: [WebSocketDecoder.Event] = [
    .text("plain, and longer than one word of eight bytes"),
    .ping(ByteBuffer(bytes: [1, 2, 3])),
    .pong(ByteBuffer()),
    .text("gr\u{fc}\u{1F600}"),
    .message(.binary, ByteBuffer()),
    .message(.binary, ByteBuffer(bytes: Array(0..<200))),
    .close(code: .normal, reason: "bye \u{1F44B}"),
  ]

  @Test func saysTheSameInEverySplit() {
    let bytes = Self.conversation.flatMap(\.bytes)
    for pieces in DecoderRun.everySplit(of: bytes) {
      let run = DecoderRun(pieces)
      #expect(run.events == Self.conversationEvents)
      #expect(run.violation == nil)
    }
  }

  @Test func saysTheSameForEventsThatAreLetGoAtOnce() throws {
    var decoder = WebSocketDecoder(role: .server, maximumMessageSize: 1 << 20)
    decoder.append(ByteBuffer(bytes: Self.conversation.flatMap(\.bytes)))
    for expected in Self.conversationEvents {
      #expect(try decoder.next() == expected)
    }
    #expect(try decoder.next() == nil)
  }

  @Test func leavesTheBufferOfItsCallerAsItIs() throws {
    let bytes = Self.conversation.flatMap(\.bytes)
    let received = ByteBuffer(bytes: bytes)
    var decoder = WebSocketDecoder(role: .server, maximumMessageSize: 1 << 20)
    decoder.append(received)
    while try decoder.next() != nil {}
    #expect(received == ByteBuffer(bytes: bytes))
  }

  @Test func ignoresWhatFollowsACloseOrAViolation() throws {
    let afterClose = DecoderRun(RawFrame.close([]).bytes + RawFrame.text("late").bytes + [0xFF, 0xFF])
    #expect(afterClose.events == [.close(code: nil, reason: "")])
    #expect(afterClose.violation == nil)

    var decoder = WebSocketDecoder(role: .server, maximumMessageSize: 100)
    decoder.append(ByteBuffer(bytes: RawFrame(opcode: 3).bytes))
    #expect(throws: WebSocketViolation.self) { try decoder.next() }
    decoder.append(ByteBuffer(bytes: RawFrame.text("late").bytes))
    #expect(try decoder.next() == nil)
  }

  @Test func answersWhatCameBeforeAViolation() {
    let run = DecoderRun(RawFrame.text("good").bytes + RawFrame(opcode: 5).bytes)
    #expect(run.events == [.text("good")])
    #expect(run.violation?.closeCode.rawValue == 1002)
  }

  @Test func doesNotHoldAReceiveBufferForAPartialFrame() throws {
    var received = ByteBufferAllocator().buffer(capacity: 4096)
    received.writeBytes(RawFrame.text("whole").bytes)
    received.writeBytes(RawFrame(opcode: 9, payload: Array(0..<100)).bytes.dropLast())
    var decoder = WebSocketDecoder(role: .server, maximumMessageSize: 1 << 20)
    decoder.append(received)
    while try decoder.next() != nil {}
    #expect(received.modifyIfUniquelyOwned { _ in true } == true)
    #expect(decoder.isInsideMessage)
  }

  @Test func limitsTheMessageNotTheFrame() {
    let fragments = [
      RawFrame(isFinal: false, opcode: 2, payload: Array(repeating: 1, count: 60)),
      RawFrame(isFinal: false, opcode: 0, payload: Array(repeating: 2, count: 40)),
    ]
    let full = DecoderRun((fragments + [RawFrame(opcode: 0)]).flatMap(\.bytes), limit: 100)
    #expect(full.events.count == 1)
    #expect(full.violation == nil)
    let over = DecoderRun((fragments + [RawFrame(opcode: 0, payload: [3])]).flatMap(\.bytes), limit: 100)
    #expect(over.events.isEmpty)
    #expect(over.violation?.closeCode.rawValue == 1009)
  }

  @Test func refusesADeclaredGibibyteAtItsHeader() {
    let header = Array(RawFrame(opcode: 2, declaredLength: 1 << 30).bytes[..<10])
    let run = DecoderRun(header.map { [$0] })
    #expect(run.violation?.closeCode.rawValue == 1009)
    #expect(run.piecesBeforeViolation == 9)
  }
}
