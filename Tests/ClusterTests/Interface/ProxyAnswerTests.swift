import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// What nginx answers itself, to requests that no node sees: as a node would.
  @Suite struct ProxyAnswerTests {
    private static let large = String(repeating: "a", count: 40_000)

    private static let requests: [(what: String, request: String, status: Int, code: String)] = [
      ("nonsense", "nonsense\r\n\r\n", 400, "bad_request"),
      ("no host", "GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
      ("a bad host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad_request"),
      ("a bad target", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "bad_request"),
      ("a method of proxies", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "method_not_allowed"),
      ("a long target", "GET /\(large) HTTP/1.1\r\nHost: a\r\n\r\n", 414, "too_large"),
      ("a large head", "GET / HTTP/1.1\r\nHost: a\r\nX: \(large)\r\n\r\n", 431, "too_large"),
      ("a coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "bad_request"),
      ("a version", "GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505, "bad_request"),
      (
        "a large body", "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300000\r\n\r\n",
        413,
        "too_large"
      ),
    ]

    private func expectProblem(_ answer: String, _ status: Int, _ code: String, _ what: String) throws {
      let blank = try #require(answer.firstRange(of: "\r\n\r\n"), "\(what): \(answer)")
      let head = answer[..<blank.lowerBound]
      #expect(head.hasPrefix("HTTP/1.1 \(status) "), "\(what): \(head)")
      #expect(head.contains("\r\nContent-Type: application/problem+json"), "\(what): \(head)")
      let body = try JSONObject(ByteBuffer(string: String(answer[blank.upperBound...])))
      #expect(body["code"]?.string == code && body["status"]?.integer == Int64(status), "\(what)")
      #expect(body["detail"]?.string?.isEmpty == false, "\(what)")
    }

    @Test func nginxAnswersAsANodeDoes() async throws {
      let cluster = try await ClusterTests.cluster()
      for (what, request, status, code) in ProxyAnswerTests.requests {
        let connection = try await RawConnection(to: cluster.nginx)
        connection.send(request)
        try expectProblem(try await connection.text(with: "}"), status, code, what)
        connection.close()
      }
      // Where TLS is spoken.
      let plain = try await RawConnection(to: cluster.nginxOverTLS)
      plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
      try expectProblem(try await plain.text(with: "}"), 400, "bad_request", "no TLS")
      plain.close()
    }
  }
}
