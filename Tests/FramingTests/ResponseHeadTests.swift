import Framing
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

struct ResponseHeadTests {
  private func written(_ head: ResponseHead) -> String {
    var buffer = ByteBuffer()
    head.write(date: HTTPDate(), into: &buffer)
    return String(buffer: buffer)
  }

  private func lines(_ head: ResponseHead) -> [String] {
    self.written(head).split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
      .filter { !$0.hasPrefix("Date: ") }
  }

  @Test func followsTheKeepAliveRules() {
    let one = ResponseHead(status: .ok, headers: ["X-A": "b"], body: .length(12), keepsAlive: true)
    #expect(self.lines(one) == ["HTTP/1.1 200 OK", "X-A: b", "Content-Length: 12", "", ""])
    let closing = ResponseHead(status: .notFound, body: .length(0), keepsAlive: false)
    #expect(
      self.lines(closing) == ["HTTP/1.1 404 Not Found", "Connection: close", "Content-Length: 0", "", ""]
    )
    let old = ResponseHead(version: .http1_0, status: .ok, body: .length(1), keepsAlive: true)
    #expect(self.lines(old) == ["HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 1", "", ""])
    let stream = ResponseHead(version: .http1_0, status: .ok, body: .untilClose, keepsAlive: true)
    #expect(self.lines(stream) == ["HTTP/1.0 200 OK", "Connection: close", "", ""])
    let switching = ResponseHead(
      status: .switchingProtocols,
      headers: ["Connection": "Upgrade"],
      body: .none,
      keepsAlive: false
    )
    #expect(self.lines(switching) == ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "", ""])
  }

  @Test func letsNoCallerFrameTheMessage() {
    let head = ResponseHead(
      status: .ok,
      headers: ["content-length": "5", "Transfer-Encoding": "gzip", "DATE": "x"],
      body: .chunked,
      keepsAlive: true
    )
    #expect(self.lines(head) == ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "", ""])
  }

  @Test func letsNoValueBeginAField() {
    let head = ResponseHead(
      status: .custom(code: 299, reasonPhrase: "a\r\nX: y"),
      headers: ["X-A": "a\r\nX-B: c\0d", "Bad Name": "x", "X\r\nY": "z", "": "e"],
      body: .none,
      keepsAlive: true
    )
    #expect(self.lines(head) == ["HTTP/1.1 299 a  X: y", "X-A: a  X-B: c d", "", ""])
  }

  @Test func isWhatAParserReads() throws {
    let channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHTTPClientHandlers()
    defer { _ = try? channel.finish() }
    let request = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["Host": "a"])
    try channel.writeOutbound(HTTPClientRequestPart.head(request))
    try channel.writeOutbound(HTTPClientRequestPart.end(nil))
    var bytes = ByteBuffer()
    ResponseHead(status: .ok, headers: ["Content-Type": "text/plain"], body: .chunked, keepsAlive: true)
      .write(date: HTTPDate(), into: &bytes)
    ChunkedBody.write(chunkOf: ByteBuffer(string: "hello "), into: &bytes)
    ChunkedBody.write(chunkOf: ByteBuffer(), into: &bytes)
    ChunkedBody.write(into: &bytes) { _ in }
    ChunkedBody.write(into: &bytes) { buffer in
      buffer.writeString(String(repeating: "x", count: 300))
      buffer.writeString("y")
    }
    bytes.writeImmutableBuffer(ChunkedBody.last)
    try channel.writeInbound(bytes)
    guard case .head(let head)? = try channel.readInbound(as: HTTPClientResponsePart.self) else {
      Issue.record("no head")
      return
    }
    #expect(head.status == .ok && head.version == .http1_1)
    #expect(head.headers.first(name: "Date")?.utf8.count == 29)
    var body = ""
    var hasEnded = false
    while let part = try channel.readInbound(as: HTTPClientResponsePart.self) {
      switch part {
      case .body(let piece): body += String(buffer: piece)
      case .end: hasEnded = true
      case .head: Issue.record("a second head")
      }
    }
    #expect(hasEnded)
    #expect(body == "hello " + String(repeating: "x", count: 300) + "y")
  }

  @Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_790_000_000, "Mon, 21 Sep 2026 14:13:20 GMT"),
    (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
  ])
  func rendersDates(seconds: Int, text: String) {
    let date = HTTPDate()
    #expect(date.text(unixSeconds: seconds) == text)
    #expect(date.text(unixSeconds: seconds) == text)
  }
}
