import NIOCore
import Testing

@testable import RedisClient

struct RedisCommandFormatterTests {
  @Test func formatsEveryKindOfArgument() {
    var formatter = RedisCommandFormatter()
    var out = ByteBuffer(string: "before")
    #expect(
      formatter.format(["SET", .string("ключ"), .bytes(ByteBuffer(bytes: [0, 13, 10, 255]))], into: &out)
    )
    #expect(formatter.format(["X", .string(""), -12], into: &out) == true)
    var expected = ByteBuffer(string: "before*3\r\n$3\r\nSET\r\n$8\r\nключ\r\n$4\r\n")
    expected.writeBytes([0, 13, 10, 255])
    expected.writeString("\r\n*3\r\n$1\r\nX\r\n$0\r\n\r\n$3\r\n-12\r\n")
    #expect(out == expected)
  }

  @Test func formatsManyArguments() {
    var formatter = RedisCommandFormatter()
    var out = ByteBuffer()
    #expect(formatter.format((0..<600).map { .integer($0) }, into: &out) == true)
    let parts = (0..<600).map { "$\(String($0).count)\r\n\($0)\r\n" }
    #expect(String(buffer: out) == "*600\r\n" + parts.joined())
  }

  @Test func refusesWhatIsTooLong() {
    var formatter = RedisCommandFormatter()
    var out = ByteBuffer()
    let large = ByteBuffer(repeating: 0, count: 90 << 20)
    #expect(formatter.format(["X", .bytes(large), .bytes(large), .bytes(large)], into: &out) == false)
    #expect(out.readableBytes == 0)
    #expect(formatter.format(["PING"], into: &out) == true)
    #expect(String(buffer: out) == "*1\r\n$4\r\nPING\r\n")
  }
}
