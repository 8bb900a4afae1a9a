import Framing
import NIOCore
import Testing
import Wire

/// Random conversations, cut at random, from a seed that a failure prints.
struct WebSocketRandomTests {
  @Test(arguments: (0..<8).map { _ in UInt64.random(in: .min ... .max) })
  func whatIsWrittenIsRead(seed: UInt64) async {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<5 {
      // Other tests wait for a thread.
      await Task.yield()
      let (bytes, events) = Self.conversation(using: &generator)
      let run = DecoderRun(Self.cut(bytes, using: &generator))
      #expect(run.violation == nil, "seed \(seed)")
      #expect(run.events == events, "seed \(seed)")
    }
  }

  @Test(arguments: (0..<8).map { _ in UInt64.random(in: .min ... .max) })
  func noiseIsJudgedTheSameInEveryCut(seed: UInt64) async {
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<15 {
      await Task.yield()
      var (bytes, _) = Self.conversation(using: &generator)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
          in: .min ... .max,
          using: &generator
        )
      }
      let whole = DecoderRun(bytes)
      let pieces = DecoderRun(Self.cut(bytes, using: &generator))
      #expect(whole == pieces, "seed \(seed)")
      if let code = whole.violation?.closeCode.rawValue {
        #expect([1002, 1007, 1009].contains(code), "seed \(seed)")
      }
    }
  }

  private static func conversation(
    using generator: inout SeededGenerator
  ) -> (bytes: [UInt8], events: [WebSocketDecoder.Event]) {
    var bytes: [UInt8] = []
    var events: [WebSocketDecoder.Event] = []
    func append(_ frame: RawFrame) {
      var frame = frame
      frame.mask = (0..<4).map { _ in .random(in: .min ... .max, using: &generator) }
      bytes += frame.bytes
    }
    for _ in 0..<Int.random(in: 1...6, using: &generator) {
      let isText = Bool.random(using: &generator)
      let payload = isText ? self.text(using: &generator) : self.noise(using: &generator)
      let pieces = self.cut(payload, using: &generator)
      for (index, piece) in pieces.enumerated() {
        append(
          RawFrame(isFinal: index == pieces.count - 1, opcode: index > 0 ? 0 : isText ? 1 : 2, payload: piece)
        )
        if index < pieces.count - 1, Bool.random(using: &generator) {
          let ping = Array(self.noise(using: &generator).prefix(125))
          append(RawFrame(opcode: 9, payload: ping))
          events.append(.ping(ByteBuffer(bytes: ping)))
        }
      }
      events.append(.message(isText ? .text : .binary, ByteBuffer(bytes: payload)))
    }
    return (bytes, events)
  }

  private static func text(using generator: inout SeededGenerator) -> [UInt8] {
    let characters = Array("aZ09 {}\"\u{e9}\u{20ac}\u{1F600}\u{ffff}\u{7ff}\u{800}")
    return (0..<Int.random(in: 0...80, using: &generator)).flatMap { _ in
      Array(String(characters.randomElement(using: &generator)!).utf8)
    }
  }

  private static func noise(using generator: inout SeededGenerator) -> [UInt8] {
    let lengths = [0, 1, 7, 8, 9, 125, 126, 127, 400]
    return (0..<lengths.randomElement(using: &generator)!).map { _ in
      .random(in: .min ... .max, using: &generator)
    }
  }

  private static func cut(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    let longest = [1, 3, 16, 200, 4000].randomElement(using: &generator)!
    while rest.count > 0 || pieces.isEmpty {
      let length = min(rest.count, Int.random(in: 0...longest, using: &generator))
      pieces.append(Array(rest.prefix(length)))
      rest = rest.dropFirst(length)
    }
    return pieces
  }
}
