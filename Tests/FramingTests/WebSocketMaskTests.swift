import Framing
import Testing

struct WebSocketMaskTests {
  static let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
  let mask = WebSocketMask(0x37FA_213D)

  @Test func agreesWithTheByteByByteDefinitionAtEveryOffsetAndAlignment() {
    let plain = (0..<67).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for offset in 0..<9 {
      for start in 0..<9 {
        for end in start...plain.count {
          var bytes = plain
          bytes.withUnsafeMutableBytes { all in
            self.mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: all[start..<end]), offset: offset)
          }
          let expected = plain.enumerated().map { index, byte in
            (start..<end).contains(index) ? byte ^ Self.key[(offset + index - start) % 4] : byte
          }
          #expect(bytes == expected)
        }
      }
    }
  }

  @Test func copiesWithoutTouchingTheSource() {
    let source = (0..<21).map { UInt8($0) }
    var target = [UInt8](repeating: 0xEE, count: 24)
    source.withUnsafeBytes { from in
      target.withUnsafeMutableBytes { self.mask.copy(from: from, to: $0, offset: 3) }
    }
    #expect(Array(target[..<21]) == source.enumerated().map { $1 ^ Self.key[($0 + 3) % 4] })
    #expect(Array(target[21...]) == [0xEE, 0xEE, 0xEE])
    #expect(self.mask.networkValue == 0x37FA_213D)
  }
}
