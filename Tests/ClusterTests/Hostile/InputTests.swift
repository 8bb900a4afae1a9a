import Foundation
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Those who send what is malformed on purpose.
  @Suite struct InputTests {
    /// Texts that cost a careless reader its stack, its memory or its time.
    private static let texts: [(name: String, text: String)] = [
      ("arrays in arrays", String(repeating: "[", count: 60_000)),
      ("objects in objects", String(repeating: #"{"a":"#, count: 10_000)),
      ("closed arrays", String(repeating: "[", count: 30_000) + String(repeating: "]", count: 30_000)),
      ("digits", String(repeating: "9", count: 60_000)),
      ("an exponent", "1e" + String(repeating: "9", count: 50_000)),
      ("escapes", "\"" + String(repeating: "\\u0000", count: 10_000) + "\""),
      ("a half of a pair", #""\ud800""#), ("blanks", String(repeating: " ", count: 60_000)),
      ("members of one name", "{" + String(repeating: #""type":"ping","#, count: 4_000) + #""type":"ping"}"#),
      ("a backslash that is a part of a character", "{\"type\":\"\u{600}" + #"\\uZZZZ"}"#),
      (
        "escaped names",
        #"{"type":"history","channel":"a","since":null"#
          + String(repeating: ##","\n\n\n\n":1"##, count: 4_000) + "}"
      ),
      ("a large id", #"{"type":"ping","id":"# + String(repeating: "9", count: 400) + "}"),
    ]

    @Test func deepAndHugeJSONIsAnswered() async throws {
      try await Attack.on { node in
        try await Attack.keepUp {
          for (name, text) in InputTests.texts {
            let socket = try await Socket(to: node.endpoint)
            _ = try await socket.welcome()
            socket.send(text: text)
            socket.send(77, .ping)
            _ = try await socket.event("a pong after \(name)") {
              if case .pong(77) = $0 { true } else { nil }
            }
            socket.abort()
            // The log holds each once, however often it comes: its memory is not the attack's.
            let key = name.replacing(" ", with: "-")
            let answer = try await HTTP.publish("deep", text, key: key, to: node.endpoint)
            #expect([.created, .ok, .badRequest].contains(answer.status), "\(name): \(answer.status)")
            if answer.status == .badRequest { #expect(answer.problem == "bad_json", "\(name)") }
          }
        }
        let huge = try await Socket(to: node.endpoint)
        _ = try await huge.welcome()
        huge.send(text: String(repeating: "[", count: 200_000))
        #expect(try await huge.closeCode() == 1009)
        let posted = try await HTTP.publish("deep", String(repeating: "1", count: 200_000), to: node.endpoint)
        #expect(posted.status == .payloadTooLarge)
        #expect(posted.problem == "too_large")
      }
    }

    private static let cursors = [
      "k3f9x2ab.18446744073709551615", "k3f9x2ab.9007199254740992", "k3f9x2ab.9007199254740993",
      "k3f9x2ab.-1", "k3f9x2ab.00", "k3f9x2ab.1e3", "k3f9x2ab.", ".1", "K3F9X2AB.1", "k3f9x2a.1",
      "k3f9x2abc.1",
      "k3f9x2ab.1.1", "%00", "k3f9x2ab.1%00", "start.1", "0", "-", "k3f9x2ab.%D9%A1", "*", "+", "$", "?",
    ]

    @Test func forgedCursorsAreAnswered() async throws {
      try await Attack.on { node in
        for value in 1...5 { _ = try await HTTP.publish("forged", "\(value)", to: node.endpoint) }
        let newest = try await HTTP.get(node.endpoint, "/v1/channels/forged/messages")
        let epoch = try #require(newest.object?["cursor"]?.string).prefix(8)
        let offsets = ["0", "1", "4", "5", "6", "9007199254740991", "9007199254740992"]
        let all = InputTests.cursors + offsets.map { "\(epoch).\($0)" }
        try await Attack.keepUp {
          for cursor in all {
            for path in [
              "/v1/channels/forged/messages?since=\(cursor)", "/v1/channels/forged/messages?before=\(cursor)",
              "/v1/poll?channels=forged&wait=0&since=forged@\(cursor)",
              "/v1/poll?channels=forged&wait=0&since=\(cursor)",
              "/v1/channels/forged/presence?after=\(cursor)",
            ] {
              let answer = try await HTTP.get(node.endpoint, path)
              #expect([.ok, .badRequest].contains(answer.status), "\(path): \(answer.status)")
            }
          }
          let socket = try await Socket(to: node.endpoint)
          _ = try await socket.welcome()
          for (id, cursor) in all.enumerated() {
            let cursor = cursor.replacing("%00", with: "\\u0000").replacing("%D9%A1", with: "١")
            socket.send(text: #"{"type":"history","id":\#(id),"channel":"forged","since":"\#(cursor)"}"#)
            if id % 9 == 8 { break }
          }
          for offset in offsets {
            socket.send(
              text: #"{"type":"subscribe","id":500,"channel":"forged","since":"\#(epoch).\#(offset)"}"#
            )
            socket.send(text: #"{"type":"unsubscribe","id":501,"channel":"forged"}"#)
          }
          socket.send(900, .ping)
          _ = try await socket.event("a pong") { if case .pong(900) = $0 { true } else { nil } }
          socket.abort()
        }
        // Where a million positions are named, one is too many.
        let set = (0..<1_001).map { "c\($0)@k3f9x2ab.1" }.joined(separator: ",")
        let many = try await HTTP.get(
          node.endpoint,
          "/v1/stream?channels=forged",
          headers: ["Last-Event-ID": set]
        )
        #expect(many.status == .badRequest)
      }
    }

    /// Whatever is echoed begins no header, no event and no cookie of its own.
    @Test(arguments: [
      "%0d%0aX-Injected:%20yes", "%0aX-Injected:%20yes", "%0d%0a%0d%0aHTTP/1.1%20200%20OK%0d%0a",
    ])
    func nothingThatIsEchoedIsAHeader(_ injection: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let raw = injection.replacing("%0d", with: "\r").replacing("%0a", with: "\n").replacing(
        "%20",
        with: " "
      )
      // A line break inside of a field's value ends it; other control characters may not stand there.
      let value = raw.replacing("\r", with: "\u{b}").replacing("\n", with: "\u{c}")
      // All of it goes to the one node, by nginx, too; but for what goes where it says itself.
      let route = "route=\(try await cluster.route(to: 0))"
      let targets = [
        "/v1/channels/a\(injection)/messages?\(route)", "/v1/stream?\(route)&channels=a\(injection)",
        "/v1/poll?\(route)&channels=a\(injection)",
        "/v1/poll?\(route)&channels=a&wait=0&since=a@k3f9x2ab.1\(injection)",
        "/v1/stream?\(route)&channels=a&since=\(injection)",
        "/v1/socket?\(route)&session=\(injection)",
        "/v1/poll?\(route)&channels=a&wait=0&session=\(injection)",
        "/v1/poll?channels=a&wait=0&route=\(injection)", "/\(injection)?\(route)",
        "/v1/channels/a/messages?\(route)&limit=1\(injection)",
      ]
      try await Attack.at(cluster.node(0)) {
        for endpoint in [cluster.node(0), cluster.nginx] {
          try await inject(into: targets, and: value, route, endpoint)
        }
      }
    }

    private func inject(
      into targets: [String],
      and value: String,
      _ route: String,
      _ endpoint: Endpoint
    ) async throws {
      for target in targets {
        let connection = try await RawConnection(to: endpoint)
        connection.send("GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let answer = try await connection.text(with: "\r\n\r\n")
        connection.close()
        expectOneHead(answer, "\(target)")
      }
      for field in [
        "Last-Event-ID", "Sluice-Session", "Idempotency-Key", "Cookie: sluice_route", "X-Forwarded-For",
      ] {
        let connection = try await RawConnection(to: endpoint)
        let (separator, query) = field.hasPrefix("Cookie") ? ("=", "") : (": ", "?\(route)")
        connection.send(
          "POST /v1/channels/injected/messages\(query) HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            + "\(field)\(separator)a\(value)\r\nConnection: close\r\n\r\n1"
        )
        let answer = try await connection.textToTheEnd()
        expectOneHead(answer, field)
      }
    }

    /// What a token says of itself is told to whoever sent it.
    @Test func nothingInATokenIsAHeader() async throws {
      try await DoorKeys.withNode { node in
        for member in ["alg", "kid", "typ"] {
          let head = #"{"\#(member)":"a\r\nX-Injected: yes\r\n\r\nHTTP/1.1 200 OK\r\n"}"#
          let token = "\(Data(head.utf8).base64EncodedString().replacing("=", with: "")).e30.AAAA"
          let connection = try await RawConnection(to: node.endpoint)
          connection.send(
            "GET /v1/channels/room:a/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
              + "Connection: close\r\n\r\n"
          )
          let answer = try await connection.textToTheEnd()
          #expect(answer.hasPrefix("HTTP/1.1 401 "), "\(member): \(answer)")
          expectOneHead(answer, member)
        }
      }
    }

    private func expectOneHead(_ answer: String, _ what: String) {
      let head = answer.prefix(upTo: answer.firstRange(of: "\r\n\r\n")?.lowerBound ?? answer.endIndex)
      #expect(!head.lowercased().contains("\r\nx-injected"), "\(what): \(answer)")
      #expect(!head.dropFirst(5).contains("HTTP/1.1 200 OK"), "\(what): \(answer)")
      #expect(answer.hasPrefix("HTTP/1."), "\(what): \(answer)")
    }
  }
}
