import NIOCore
import NIOHTTP1
import Testing

@testable import SluiceClient

struct HandshakeAnswerTests {
  @Test func readsAHeadAndLeavesTheRest() throws {
    var bytes = ByteBuffer(string: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nrest")
    let answer = try #require(try HandshakeAnswer(reading: &bytes))
    #expect(answer.status == 101)
    #expect(answer.headers["upgrade"] == ["websocket"])
    #expect(String(buffer: bytes) == "rest")
  }

  @Test(arguments: ["-5", "0", "99", "1000", "9223372036854775807", "x"])
  func refusesStatusesThatAreNone(status: String) {
    var bytes = ByteBuffer(string: "HTTP/1.1 \(status) X\r\n\r\n")
    #expect(throws: HandshakeError.self) { try HandshakeAnswer(reading: &bytes) }
  }

  /// No server may end its client's process.
  @Test(arguments: [
    "HTTP/1.1 101 x\r\nConnecti\u{e9}n: Upgrade\r\n\r\n", "HTTP/1.1 101 x\r\n\u{1f600}:\r\n\r\n",
  ])
  func refusesNamesThatAreNotASCII(text: String) {
    var bytes = ByteBuffer(string: text)
    #expect(throws: HandshakeError.self) { try HandshakeAnswer(reading: &bytes) }
  }
}
