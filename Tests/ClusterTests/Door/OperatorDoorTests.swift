import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing

extension ClusterTests {
  /// Who may ask an operator listener, and what is written of it.
  @Suite struct OperatorDoorTests {
    @Test func everyActIsInTheLog() async throws {
      let cluster = try await ClusterTests.cluster()
      let file = "\(cluster.directory)/operators"
      let mark = "deploys\(UInt32.random(in: .min ... .max))"
      try "read 0123456789abcdef watchers\nact fedcba9876543210 \(mark)\n"
        .write(toFile: file, atomically: true, encoding: .utf8)
      try await LoneNode.run(["--operator-key-file", file, "--node", "lone", "--settle", "60s"]) { node in
        let ask = { (method: HTTPMethod, path: String, key: String?, body: String) in
          var headers: HTTPHeaders = [:]
          if let key { headers.add(name: "Authorization", value: "Bearer \(key)") }
          let request = HTTPRequest(method, path, headers: headers, body: ByteBuffer(string: body))
          return try await HTTP.send(request, to: node.backends).status
        }
        let publication = #"{"publications":[{"channels":["room:a","room:b"],"data":"a whisper"}]}"#
        #expect(try await ask(.GET, "/v1/nodes", "0123456789abcdef", "") == .ok)
        #expect(try await ask(.POST, "/v1/publish", "fedcba9876543210", publication) == .ok)
        #expect(try await ask(.POST, "/v1/publish", "0123456789abcdef", publication) == .forbidden)
        #expect(try await ask(.POST, "/v1/publish", nil, publication) == .unauthorized)
        #expect(try await ask(.POST, "/v1/nodes/lone/drain", "0123456789abcdef", "{}") == .forbidden)
        #expect(try await ask(.POST, "/v1/nodes/lone/drain", "fedcba9876543210", "{}") == .ok)
        #expect(try await ask(.DELETE, "/v1/nodes/lone/drain", "fedcba9876543210", "") == .ok)
        let acts = [
          [mark, "publish", "room:a,room:b", "200"], [mark, "drain", "lone", "200"],
          [mark, "undrain", "lone", "200"],
          ["watchers", "publish", "403"], ["refused", "publish", "401"],
          ["watchers", "drain", "lone", "403"],
        ]
        let log = try await eventually("a line for each act") {
          let log = try String(contentsOfFile: "\(cluster.directory)/logs/lone.log", encoding: .utf8)
          let lines = log.split(whereSeparator: \.isNewline).filter { $0.contains("an act of an operator") }
          let areThere = acts.allSatisfy { parts in
            lines.contains { line in parts.allSatisfy { line.contains($0) } }
          }
          return areThere ? log : nil
        }
        for secret in ["fedcba9876543210", "0123456789abcdef", "a whisper"] { #expect(!log.contains(secret)) }
      }
    }

    @Test func withoutAKeyPagesOfOtherSitesMayNotAsk() async throws {
      try await LoneNode.run([]) { node in
        let own = "127.0.0.1:\(node.backends.port)"
        let cases: [(HTTPHeaders, HTTPResponseStatus)] = [
          ([:], .ok), (["Origin": "http://\(own)"], .ok), (["Sec-Fetch-Site": "same-origin"], .ok),
          (["Origin": "https://evil.example"], .forbidden), (["Origin": "null"], .forbidden),
          (["Sec-Fetch-Site": "cross-site"], .forbidden), (["Sec-Fetch-Site": "same-site"], .forbidden),
        ]
        for (headers, status) in cases {
          #expect(
            try await HTTP.get(node.backends, "/v1/nodes", headers: headers).status == status,
            "\(headers)"
          )
        }
        // A name that was made to lead here.
        let raw = try await RawConnection(to: node.backends)
        raw.send(
          "POST /v1/nodes/x/drain HTTP/1.1\r\nHost: evil.example:9090\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        #expect(try await raw.textToTheEnd().hasPrefix("HTTP/1.1 403"))
      }
    }
  }
}
