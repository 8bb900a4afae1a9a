import NIOCore
import NIOHTTP1
import SluiceClient
import Testing

extension ClusterTests {
  /// Pages of other sites.
  @Suite struct OriginTests {
    private static let paths = [
      "/v1/poll?channels=hall:a&wait=0", "/v1/channels/hall:a/messages", "/v1/channels/hall:a/presence",
      "/v1/nothing",
    ]

    @Test func withoutAListPagesOfOtherSitesAreRefused() async throws {
      try await LoneNode.run([]) { node in
        let own = "http://127.0.0.1:\(node.endpoint.port)"
        for path in OriginTests.paths + ["/v1/stream?channels=hall:a", "/%76%31/socket", "/v1/socket"] {
          for origin in ["https://evil.example", "null"] {
            let answer = try await HTTP.get(node.endpoint, path, headers: ["Origin": origin])
            #expect(answer.status == .forbidden, "\(path)")
            #expect(!answer.headers.contains(name: "Access-Control-Allow-Origin"))
          }
          // As an image, a script or a frame it shows no origin.
          let answer = try await HTTP.get(node.endpoint, path, headers: ["Sec-Fetch-Site": "cross-site"])
          #expect(answer.status == .forbidden, "\(path)")
        }
        #expect(
          try await HTTP.get(node.endpoint, OriginTests.paths[0], headers: ["Origin": own]).status == .ok
        )
        let foreign = try await Socket(to: node.endpoint, headers: ["Origin": "https://evil.example"])
        guard case .refused(let answer) = try await foreign.closure() else {
          Issue.record("it came in")
          return
        }
        #expect(answer.status == 403)
        let page = try await Socket(to: node.endpoint, headers: ["Origin": own])
        _ = try await page.welcome()
        page.abort()
      }
    }

    @Test func thoseOfTheListMayAskAndReadWhatIsForThem() async throws {
      try await LoneNode.run(["--allowed-origins", "https://app.example,https://*.sub.example"]) { node in
        for origin in ["https://app.example", "https://a.sub.example"] {
          for path in OriginTests.paths {
            let answer = try await HTTP.get(node.endpoint, path, headers: ["Origin": origin])
            #expect(answer.headers.first(name: "Access-Control-Allow-Origin") == origin)
            #expect(answer.headers[canonicalForm: "Vary"].contains("Origin"))
            let exposed = answer.headers.first(name: "Access-Control-Expose-Headers") ?? ""
            for name in ["Sluice-Session", "ETag", "X-Poll-Interval", "Retry-After", "Link"] {
              #expect(exposed.contains(name))
            }
          }
          let preflight = try await HTTP.send(
            HTTPRequest(
              .OPTIONS,
              "/v1/channels/hall:a/messages",
              headers: [
                "Origin": origin, "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "idempotency-key",
              ]
            ),
            to: node.endpoint
          )
          #expect(preflight.status == .noContent)
          #expect(preflight.headers.first(name: "Access-Control-Allow-Origin") == origin)
          #expect(preflight.headers.first(name: "Access-Control-Allow-Methods")?.contains("POST") == true)
          #expect(
            preflight.headers.first(name: "Access-Control-Allow-Headers")?.contains("Idempotency-Key") == true
          )
          #expect(preflight.headers.contains(name: "Access-Control-Max-Age"))
        }
        // What a cache keeps for one it must not give to another.
        let plain = try await HTTP.get(node.endpoint, OriginTests.paths[0])
        #expect(plain.status == .ok && plain.headers.first(name: "Vary") == "Origin")
        let other = try await HTTP.get(
          node.endpoint,
          OriginTests.paths[0],
          headers: ["Origin": "https://b.example"]
        )
        #expect(other.status == .forbidden)
        let stream = try await Stream(
          to: node.endpoint,
          "channels=hall:a",
          headers: ["Origin": "https://app.example"]
        )
        #expect(
          try await stream.opened().headers.first(name: "Access-Control-Allow-Origin")
            == "https://app.example"
        )
        stream.abort()
      }
    }
  }
}
