import NIOCore
import NIOEmbedded
import Testing

@testable import Transports

/// Where a body ends, and what may be sent for it.
struct RequestFramingTests {
  private static let post = "POST /echo/a HTTP/1.1\r\nHost: a\r\n"
  private static let chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
  private static let hello = HTTPConnectionTests.hello

  /// Whose transfer coding is not plainly `chunked` is refused, and what follows is never taken for a request.
  @Test(arguments: [
    ("Transfer-Encoding:", "501"), ("Transfer-Encoding: ", "501"), ("Transfer-Encoding: ,", "501"),
    ("Transfer-Encoding: ,chunked", "501"), ("Transfer-Encoding: chunked,", "501"),
    ("Transfer-Encoding:\r\nTransfer-Encoding: chunked", "501"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding:", "501"),
    ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "501"),
    ("Content-Length: 0\r\nTransfer-Encoding:", "400"), ("Transfer-Encoding:\r\nContent-Length: 0", "400"),
  ])
  func onlyChunkedIsATransferCoding(_ fields: String, _ status: String) throws {
    for body in ["", "0\r\n\r\n"] {
      let entry = try EmbeddedEntry()
      try entry.send("\(Self.post)\(fields)\r\n\r\n\(body)\(Self.hello)")
      // Some of these the parser refuses by itself.
      let statuses = try entry.takeStatuses()
      #expect(statuses == [status] || statuses == ["400"])
      #expect(!entry.channel.isActive)
    }
  }

  @Test(arguments: ["chunked", "Chunked", "CHUNKED ", "\tchunked"])
  func chunkedIsSoInAnyCase(_ coding: String) throws {
    let entry = try EmbeddedEntry()
    try entry.send("\(Self.post)Transfer-Encoding: \(coding)\r\n\r\n4\r\nbody\r\n0\r\n\r\n\(Self.hello)")
    #expect(try entry.takeStatuses() == ["201", "200"])
  }
}
