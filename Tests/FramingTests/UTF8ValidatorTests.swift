import Framing
import Testing

struct UTF8ValidatorTests {
  static let valid: [[UInt8]] = [
    [], [0x00], [0x7F], [0xC2, 0x80], [0xDF, 0xBF], [0xE0, 0xA0, 0x80], [0xEF, 0xBF, 0xBF],
    [0xED, 0x9F, 0xBF],
    [0xEE, 0x80, 0x80], [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xEF, 0xBF, 0xBD],
    [0xEF, 0xBF, 0xBE], [0xF0, 0x9F, 0xBF, 0xBF], Array("κόσμε".utf8),
    Array("Hello-µ@ßöäüàá-UTF-8!!".utf8), Array("0123456789abcdef😀0123456789".utf8),
  ]

  /// Bytes and the index of the first impossible one (cases 6.4 to 6.23 of the Autobahn suite among them).
  static let invalid: [(bytes: [UInt8], at: Int)] = [
    ([0x80], 0), ([0xBF], 0), ([0xFE], 0), ([0xFF], 0), ([0xC0, 0x80], 0), ([0xC1, 0xBF], 0),
    ([0xF5, 0x80], 0),
    ([0xF8, 0x88, 0x80, 0x80, 0x80], 0), ([0xFC, 0x84], 0),
    ([0xE0, 0x80, 0xAF], 1), ([0xE0, 0x9F, 0xBF], 1), ([0xF0, 0x80, 0x80, 0xAF], 1),
    ([0xF0, 0x8F, 0xBF, 0xBF], 1),
    ([0xED, 0xA0, 0x80], 1), ([0xED, 0xAD, 0xBF], 1), ([0xED, 0xBF, 0xBF], 1), ([0xF4, 0x90, 0x80, 0x80], 1),
    ([0xC2, 0x41], 1), ([0xE1, 0x80, 0x41], 2), ([0xF1, 0x80, 0x80, 0x41], 3), ([0xC2, 0xC2], 1),
    (Array("κόσμε".utf8) + [0xED, 0xA0, 0x80] + Array("edited".utf8), 11),
    (Array("κόσμε".utf8) + [0xF4, 0x90, 0x80, 0x80] + Array("edited".utf8), 11),
    (Array("12345678".utf8) + [0xFF], 8), (Array("123456789012345".utf8) + [0x80, 0x31], 15),
  ]

  @Test(arguments: valid)
  func acceptsInEverySplit(bytes: [UInt8]) {
    for pieces in DecoderRun.everySplit(of: bytes) {
      var validator = UTF8Validator()
      let taken = pieces.allSatisfy { piece in piece.withUnsafeBytes { validator.consume($0) } }
      #expect(taken && validator.isAtBoundary)
    }
  }

  @Test(arguments: invalid)
  func refusesAtTheFirstImpossibleByte(bytes: [UInt8], at: Int) {
    for cut in 0...at {
      var validator = UTF8Validator()
      #expect(bytes[..<cut].withUnsafeBytes { validator.consume($0) })
      #expect(bytes[cut..<at].withUnsafeBytes { validator.consume($0) })
      #expect(!bytes[at...at].withUnsafeBytes { validator.consume($0) })
    }
    var whole = UTF8Validator()
    #expect(!bytes.withUnsafeBytes { whole.consume($0) })
  }

  @Test(arguments: [[0xC2], [0xE0, 0xA0], [0xF0, 0x90, 0x80], [0x41, 0xF4, 0x8F]] as [[UInt8]])
  func knowsAnUnfinishedCharacter(bytes: [UInt8]) {
    var validator = UTF8Validator()
    #expect(bytes.withUnsafeBytes { validator.consume($0) })
    #expect(!validator.isAtBoundary)
  }

  @Test func agreesWithTheStandardLibrary() {
    let seed = UInt64.random(in: .min ... .max)
    var generator = SeededGenerator(seed: seed)
    let palette: [UInt8] = [
      0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1,
      0xF4,
      0xF5,
    ]
    for _ in 0..<20_000 {
      let ascii = [UInt8](repeating: 0x61, count: Int.random(in: 0...10, using: &generator))
      let bytes =
        ascii
        + (0..<Int.random(in: 0...5, using: &generator)).map { _ in palette.randomElement(using: &generator)!
        }
      var validator = UTF8Validator()
      let isValid = bytes.withUnsafeBytes { validator.consume($0) } && validator.isAtBoundary
      #expect(isValid == (String(validating: bytes, as: UTF8.self) != nil), "seed \(seed) bytes \(bytes)")
    }
  }
}
