import Framing
import NIOCore
import NIOHTTP1
import Testing
import Wire

@Suite struct CompressionTests {
  private func terms(_ offers: String...) -> CompressionTerms? {
    CompressionTerms(offeredIn: HTTPHeaders(offers.map { ("Sec-WebSocket-Extensions", $0) }))
  }

  private static let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

  @Test(arguments: [
    "permessage-deflate", "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=9", "Permessage-Deflate ; Client_No_Context_Takeover",
    #"permessage-deflate; client_max_window_bits="10""#, "x-other; a=b, permessage-deflate",
    "permessage-deflate; unknown, permessage-deflate",
    "permessage-deflate,", ", permessage-deflate", "x-other, ,\t,permessage-deflate",
    "permessage-deflate; server_max_window_bits=8, permessage-deflate",
  ])
  func anOfferIsAnsweredWithoutContext(_ offer: String) {
    #expect(terms(offer)?.description == CompressionTests.plain)
    #expect(terms(offer)?.serverWindowBits == 15)
  }

  @Test func aWindowThatIsAskedForIsNamed() {
    for (asked, used) in [(9, 9), (11, 9), (12, 12), (14, 12), (15, 15)] {
      let terms = terms("permessage-deflate; server_max_window_bits=\(asked); client_max_window_bits")
      #expect(terms?.serverWindowBits == used)
      #expect(terms?.description == CompressionTests.plain + "; server_max_window_bits=\(used)")
    }
  }

  @Test func offersMayStandInSeveralFields() {
    #expect(terms("x-webkit-deflate-frame", "permessage-deflate")?.description == CompressionTests.plain)
  }

  @Test(arguments: [
    "", ",", " , ", "x-webkit-deflate-frame", "permessage-deflate; x",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; server_max_window_bits=16", "permessage-deflate; server_max_window_bits=8",
    "permessage-deflate; server_max_window_bits=010", "permessage-deflate; server_max_window_bits=",
    "permessage-deflate; client_max_window_bits=7", "permessage-deflate; server_no_context_takeover=true",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; =1", "permessage-deflate;", "permessage deflate",
    #"permessage-deflate; client_max_window_bits="1"#,
  ])
  func whatIsInvalidIsDeclined(_ offer: String) {
    #expect(terms(offer) == nil)
  }

  /// RFC 7692 section 7.2.3.
  @Test(
    arguments: [
      [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
      [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
      [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
      [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ] as [[UInt8]]
  )
  func theStandardsExamplesAreRead(_ payload: [UInt8]) throws {
    let inflater = Inflater()
    for _ in 0..<2 {
      #expect(try inflater.inflate(ByteBuffer(bytes: payload), limit: 5) == ByteBuffer(string: "Hello"))
    }
  }

  /// However a message was compressed: by blocks that say they are the last, stored, or ended by an empty last block.
  @Test(
    arguments: [
      ([0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], "hello"),
      ([0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], "hello"),
      ([0x01, 0x05, 0x00, 0xfa, 0xff, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x00], "hello"),
      ([0x01, 0x05, 0x00, 0xfa, 0xff, 0x68, 0x65, 0x6c, 0x6c, 0x6f], "hello"),
      ([0xca, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x04], "hello"), ([0x00], ""), ([0x01], ""),
      ([0x02, 0x00], ""),
      ([0x03, 0x00], ""), ([0x03, 0x00, 0x00], ""),
    ] as [([UInt8], String)]
  )
  func everyWholeStreamIsRead(_ payload: [UInt8], _ text: String) throws {
    #expect(try Inflater().inflate(ByteBuffer(bytes: payload), limit: 5) == ByteBuffer(string: text))
  }

  /// Blocks that say they are the last may follow each other, but not without end: they cost much and make nothing.
  @Test func aMessageEndsOnlySoOften() throws {
    let inflater = Inflater()
    func ends(_ count: Int) -> ByteBuffer {
      ByteBuffer(bytes: [[UInt8]](repeating: [0x03, 0x00], count: count).joined())
    }
    for count in [1, 2, 64] {
      #expect(try inflater.inflate(ends(count), limit: 1_000).readableBytes == 0)
    }
    // The last block may be one of any kind.
    let hello: [UInt8] = [0xca, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
    var followed = ends(63)
    followed.writeBytes(hello)
    #expect(try inflater.inflate(followed, limit: 1_000) == ByteBuffer(string: "hello"))
    for count in [65, 100, 36_864] {
      let failure = #expect(throws: WebSocketViolation.self) {
        try inflater.inflate(ends(count), limit: 1_000)
      }
      #expect(failure?.closeCode == .invalidText)
    }
    // The next message is counted anew.
    #expect(try inflater.inflate(ends(64), limit: 1_000).readableBytes == 0)
  }

  /// A message that lost its end is none, wherever it was cut.
  @Test func whatIsCutIsRefused() throws {
    let inflater = Inflater()
    let stored: [UInt8] = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00]
    let final: [UInt8] = [0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]
    var (short, long) = (ByteBuffer(), ByteBuffer())
    Deflater().deflate(ByteBuffer(string: #"{"type":"ping","id":1}"#), into: &short)
    Deflater().deflate(
      ByteBuffer(string: (0..<300).map { #"{"id":\#($0 * $0),"name":"x"},"# }.joined()),
      into: &long
    )
    for whole in [ByteBuffer(bytes: stored), ByteBuffer(bytes: final), short, long] {
      #expect(throws: Never.self) { try inflater.inflate(whole, limit: 100_000) }
      // A nought alone is a message too, an empty one.
      for length in 0..<whole.readableBytes where length != 1 || whole.readableBytesView.first != 0 {
        let cut = ByteBuffer(whole.readableBytesView.prefix(length))
        let failure = #expect(throws: WebSocketViolation.self, "\(length) of \(whole)") {
          try inflater.inflate(cut, limit: 100_000)
        }
        #expect(failure?.closeCode == .invalidText)
      }
      #expect(throws: Never.self) { try inflater.inflate(whole, limit: 100_000) }
    }
  }

  @Test(arguments: [9, 10, 15])
  func whatIsCompressedIsReadAgain(_ bits: Int) throws {
    let (deflater, inflater) = (Deflater(windowBits: bits), Inflater())
    for size in [0, 1, 100, 1_000, 70_000, 1_000_000] {
      let random = ByteBuffer(bytes: (0..<size).map { _ in UInt8.random(in: 0...255) })
      let text = ByteBuffer(
        string: String(String(repeating: #"{"price":12.5,"name":"x"},"#, count: size / 20 + 1).prefix(size))
      )
      for payload in [random, text] {
        var compressed = ByteBuffer()
        deflater.deflate(payload, into: &compressed)
        #expect(try inflater.inflate(compressed, limit: max(1, size)) == payload)
      }
    }
  }

  @Test func aBombIsNotInflatedBeyondTheLimit() throws {
    let (deflater, inflater) = (Deflater(level: 9), Inflater())
    var bomb = ByteBuffer()
    deflater.deflate(ByteBuffer(repeating: 0x20, count: 64 << 20), into: &bomb)
    #expect(bomb.readableBytes < 70_000)
    let failure = #expect(throws: WebSocketViolation.self) { try inflater.inflate(bomb, limit: 1_000) }
    #expect(failure?.closeCode == .tooBig)
    #expect(try inflater.inflate(bomb, limit: 64 << 20).readableBytes == 64 << 20)
    #expect(throws: WebSocketViolation.self) { try inflater.inflate(bomb, limit: 64 << 20 - 1) }
  }

  @Test func whatIsNotDeflateIsRefused() {
    let inflater = Inflater()
    let failure = #expect(throws: WebSocketViolation.self) {
      try inflater.inflate(ByteBuffer(bytes: [0xff, 0xff, 0xff, 0xff]), limit: 1_000)
    }
    #expect(failure?.closeCode == .invalidText)
    for _ in 0..<2_000 {
      let noise = ByteBuffer(bytes: (0..<Int.random(in: 0..<60)).map { _ in UInt8.random(in: 0...255) })
      if let output = try? inflater.inflate(noise, limit: 500) { #expect(output.readableBytes <= 500) }
    }
  }

  private func events(_ bytes: [UInt8], takesCompressed: Bool) throws -> [WebSocketDecoder.Event] {
    var decoder = WebSocketDecoder(role: .server, maximumMessageSize: 1_000, takesCompressed: takesCompressed)
    decoder.append(ByteBuffer(bytes: bytes))
    var events: [WebSocketDecoder.Event] = []
    while let event = try decoder.next() { events.append(event) }
    return events
  }

  private func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [first, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
  }

  @Test func theBitMarksTheFirstFrameOfAMessage() throws {
    let whole = frame(0xc1, [1, 2, 3])
    #expect(try events(whole, takesCompressed: true) == [.compressed(.text, ByteBuffer(bytes: [1, 2, 3]))])
    let pieces = frame(0x41, [1]) + frame(0x89, [9]) + frame(0x00, [2]) + frame(0x80, [3])
    #expect(
      try events(pieces, takesCompressed: true) == [
        .ping(ByteBuffer(bytes: [9])), .compressed(.text, ByteBuffer(bytes: [1, 2, 3])),
      ]
    )
    #expect(
      try events(frame(0x81, [0x61]), takesCompressed: true) == [.message(.text, ByteBuffer(string: "a"))]
    )
    for bad in [
      frame(0xc9, []), frame(0xc8, []), frame(0x41, [1]) + frame(0xc0, [2]), frame(0xa1, [1]),
      frame(0x91, [1]),
      frame(0xe1, [1]),
    ] {
      #expect(throws: WebSocketViolation.self) { try events(bad, takesCompressed: true) }
    }
    #expect(throws: WebSocketViolation.self) { try events(whole, takesCompressed: false) }
  }
}
