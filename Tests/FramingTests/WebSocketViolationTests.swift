import Framing
import NIOCore
import Testing
import Wire

struct WebSocketViolationTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let name: String
    let code: UInt16
    let frames: [RawFrame]
    var role = WebSocketDecoder.Role.server
    var testDescription: String { self.name }
  }

  static let cases: [Case] =
    [
      Case(name: "unmasked client", code: 1002, frames: [RawFrame(opcode: 1, payload: [0x61], mask: nil)]),
      Case(name: "masked server", code: 1002, frames: [RawFrame.text("a")], role: .client),
      Case(name: "fragmented ping", code: 1002, frames: [RawFrame(isFinal: false, opcode: 9)]),
      Case(name: "fragmented close", code: 1002, frames: [RawFrame(isFinal: false, opcode: 8)]),
      Case(
        name: "ping of 126",
        code: 1002,
        frames: [RawFrame(opcode: 9, payload: Array(repeating: 0, count: 126))]
      ),
      Case(
        name: "close of 126",
        code: 1002,
        frames: [RawFrame.close([3, 232] + Array(repeating: 97, count: 124))]
      ),
      Case(
        name: "2-byte length of 125",
        code: 1002,
        frames: [RawFrame(opcode: 2, payload: Array(0..<125), lengthBytes: 2)]
      ),
      Case(
        name: "8-byte length of 3",
        code: 1002,
        frames: [RawFrame(opcode: 2, payload: [1, 2, 3], lengthBytes: 8)]
      ),
      Case(
        name: "8-byte length of 65535",
        code: 1002,
        frames: [RawFrame(opcode: 2, payload: Array(repeating: 1, count: 65535), lengthBytes: 8)]
      ),
      Case(name: "64-bit length", code: 1002, frames: [RawFrame(opcode: 2, declaredLength: 1 << 63)]),
      Case(name: "63-bit length", code: 1009, frames: [RawFrame(opcode: 2, declaredLength: (1 << 63) - 1)]),
      Case(name: "continuation of nothing", code: 1002, frames: [RawFrame(opcode: 0)]),
      Case(
        name: "final continuation of nothing",
        code: 1002,
        frames: [.text("a"), RawFrame(opcode: 0, payload: [0x61])]
      ),
      Case(name: "text inside text", code: 1002, frames: [.text("a", isFinal: false), .text("b")]),
      Case(
        name: "binary inside text",
        code: 1002,
        frames: [.text("a", isFinal: false), RawFrame(opcode: 2)]
      ),
      Case(name: "close of one byte", code: 1002, frames: [.close([3])]),
      Case(name: "bad UTF-8", code: 1007, frames: [RawFrame(opcode: 1, payload: [0xCE, 0xBA, 0xFF])]),
      Case(name: "unfinished UTF-8", code: 1007, frames: [RawFrame(opcode: 1, payload: [0xCE, 0xBA, 0xE1])]),
      Case(
        name: "UTF-8 unfinished over fragments",
        code: 1007,
        frames: [RawFrame(isFinal: false, opcode: 1, payload: [0xCE]), RawFrame(opcode: 0)]
      ),
      Case(name: "bad UTF-8 in a close", code: 1007, frames: [.close([3, 232, 0xED, 0xA0, 0x80])]),
      Case(name: "unfinished UTF-8 in a close", code: 1007, frames: [.close([3, 232, 0xCE])]),
    ]
    + (1...7).map {
      Case(name: "reserved bits \($0)", code: 1002, frames: [RawFrame(reserved: $0, opcode: 1)])
    }
    + [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map {
      Case(name: "opcode \($0)", code: 1002, frames: [RawFrame(opcode: $0)])
    }
    + [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map { code in
      Case(name: "close \(code)", code: 1002, frames: [.close([UInt8(code >> 8), UInt8(code & 0xFF)])])
    }

  @Test(arguments: cases)
  func hasItsCodeInEverySplit(of test: Case) {
    let bytes = test.frames.flatMap(\.bytes)
    let splits = bytes.count > 1000 ? [[bytes], bytes.map { [$0] }] : DecoderRun.everySplit(of: bytes)
    for pieces in splits {
      #expect(DecoderRun(pieces, role: test.role).violation?.closeCode.rawValue == test.code)
    }
  }

  @Test(arguments: [
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
  ])
  func acceptsCloseCode(_ code: Int) {
    let run = DecoderRun(RawFrame.close([UInt8(code >> 8), UInt8(code & 0xFF)]).bytes)
    #expect(run.events == [.close(code: CloseCode(rawValue: UInt16(code)), reason: "")])
  }

  /// Case 6.4 of the Autobahn suite: the frame's rest never comes, the refusal does.
  @Test func failsFastInsideAFrame() {
    let text = Array("κόσμε".utf8) + [0xED, 0xA0, 0x80] + Array("edited".utf8)
    let frame = RawFrame(opcode: 1, payload: text).bytes
    let header = 6
    let run = DecoderRun(frame.map { [$0] })
    #expect(run.violation?.closeCode.rawValue == 1007)
    #expect(run.piecesBeforeViolation == header + 11)
  }

  @Test func refusesAtTheFirstTwoBytes() {
    for first in [RawFrame(reserved: 4, opcode: 1), RawFrame(opcode: 3)] {
      #expect(DecoderRun([first.bytes[0]]).violation?.closeCode.rawValue == 1002)
    }
    #expect(DecoderRun([0x81, 0x7F]).violation?.closeCode.rawValue == 1002)
    #expect(DecoderRun([0x89, 0xFE]).violation?.closeCode.rawValue == 1002)
  }
}
