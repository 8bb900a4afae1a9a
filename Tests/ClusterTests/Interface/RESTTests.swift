import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Requests and their answers, as HTTP wants them.
  @Suite struct RESTTests {
    private func channel() -> String { "rest:\(UInt32.random(in: .min ... .max))" }

    private func request(_ method: String, _ path: String, _ headers: HTTPHeaders = [:]) -> HTTPRequest {
      HTTPRequest(HTTPMethod(rawValue: method), path, headers: headers)
    }

    // MARK: methods

    @Test func everyPathAnswersItsMethodsAndNamesThem() async throws {
      let cluster = try await ClusterTests.cluster()
      for endpoint in [cluster.node(0), cluster.operating(0)] {
        for path in try await Descriptions.read(endpoint) {
          let options = try await HTTP.send(request("OPTIONS", path.example), to: endpoint)
          #expect(options.status == .noContent, "\(path.pattern)")
          let expected = Set(path.methods + ["OPTIONS"] + (path.methods.contains("GET") ? ["HEAD"] : []))
          #expect(
            Set(options.headers[canonicalForm: "Allow"].map(String.init)) == expected,
            "\(path.pattern)"
          )
          let other = try await HTTP.send(request("PATCH", path.example), to: endpoint)
          #expect(other.status == .methodNotAllowed)
          #expect(other.problem == "method_not_allowed")
          #expect(Set(other.headers[canonicalForm: "Allow"].map(String.init)) == expected, "\(path.pattern)")
        }
      }
    }

    @Test func headIsGetWithoutTheBody() async throws {
      let cluster = try await ClusterTests.cluster()
      let name = channel()
      #expect(try await HTTP.publish(name, "1", to: cluster.node(0)).status == .created)
      let paths = [
        "/v1/channels/\(name)/messages", "/v1/channels/\(name)/presence", "/v1/poll?channels=\(name)&wait=0",
        "/v1/openapi.json", "/healthz", "/readyz", "/v1/socket", "/v1/channels/\(name)/messages?limit=0",
      ]
      for path in paths {
        let get = try await HTTP.get(cluster.node(1), path)
        let head = try await HTTP.send(request("HEAD", path), to: cluster.node(1))
        #expect(head.status == get.status, "\(path)")
        #expect(head.body.readableBytes == 0)
        for field in ["Content-Type", "Content-Length", "ETag", "Cache-Control", "Link"] {
          #expect(head.headers[field] == get.headers[field], "\(field) of \(path)")
        }
        #expect(Int(head.headers.first(name: "Content-Length") ?? "") == get.body.readableBytes)
      }
      let stream = try await HTTP.send(request("HEAD", "/v1/stream?channels=\(name)"), to: cluster.node(1))
      #expect(stream.status == .ok && stream.body.readableBytes == 0)
      #expect(stream.headers.first(name: "Content-Type")?.hasPrefix("text/event-stream") == true)
    }

    // MARK: validators

    @Test func whoHasItIsToldSoWithTheHeadersOfA304() async throws {
      let cluster = try await ClusterTests.cluster()
      let name = channel()
      for number in 0..<3 {
        #expect(try await HTTP.publish(name, "\(number)", to: cluster.node(number)).status == .created)
      }
      for path in [
        "/v1/channels/\(name)/messages?limit=2", "/v1/channels/\(name)/presence", "/v1/openapi.json",
        "/v1/poll?channels=\(name),\(name)-2&since=start&wait=0",
      ] {
        let first = try await HTTP.get(cluster.node(0), path)
        #expect(first.status == .ok, "\(first.text)")
        let tag = try #require(first.headers.first(name: "ETag"), "\(path)")
        #expect(!tag.hasPrefix("W/"))
        for fields in [[tag], ["W/\(tag)"], ["*"], ["\"a,b\", \(tag)"], ["\"a\"", tag]] {
          let headers = HTTPHeaders(fields.map { ("If-None-Match", $0) })
          for method in ["GET", "HEAD"] {
            let again = try await HTTP.send(request(method, path, headers), to: cluster.node(1))
            #expect(again.status == .notModified, "\(fields) of \(path)")
            #expect(again.body.readableBytes == 0)
            #expect(again.headers["ETag"] == [tag])
            #expect(again.headers["Cache-Control"] == first.headers["Cache-Control"])
            #expect(again.headers["Link"] == first.headers["Link"])
            #expect(again.headers.contains(name: "Date"))
            for field in ["Content-Type", "Content-Length", "Transfer-Encoding"] {
              #expect(!again.headers.contains(name: field), "\(field) of \(path)")
            }
          }
        }
        for fields in [["\"a\""], [String(tag.dropLast())], [String(tag.dropFirst().dropLast())]] {
          let other = HTTPHeaders(fields.map { ("If-None-Match", $0) })
          #expect(
            try await HTTP.get(cluster.node(1), path, headers: other).status == .ok,
            "\(fields) of \(path)"
          )
        }
      }
    }

    @Test func presenceHasAnotherTagWhenSomebodyCame() async throws {
      let cluster = try await ClusterTests.cluster()
      let name = channel()
      let path = "/v1/channels/\(name)/presence"
      let empty = try await HTTP.get(cluster.node(0), path)
      let tag = try #require(empty.headers.first(name: "ETag"))
      let socket = try await Socket(to: cluster.node(2))
      try await socket.subscribe(name, presence: .join)
      let changed = try await eventually("a member") {
        let answer = try await HTTP.get(cluster.node(0), path, headers: ["If-None-Match": tag])
        return answer.status == .ok ? answer : nil
      }
      #expect(changed.object?["count"]?.integer == 1)
      let member = try #require(changed.object?["members"]?.elements?.first?.object?["member"]?.string)
      let rest = try await HTTP.get(cluster.node(0), path + "?after=\(member)")
      #expect(rest.object?["members"]?.elements?.isEmpty == true)
      socket.abort()
    }

    // MARK: publishing

    @Test func aMessageIsWhereItsLocationSays() async throws {
      let cluster = try await ClusterTests.cluster()
      let name = channel()
      for number in 1...3 {
        let answer = try await HTTP.publish(name, "\(number)", key: "k\(number)", to: cluster.node(0))
        #expect(answer.status == .created)
        let location = try #require(answer.headers.first(name: "Location"))
        let page = try await HTTP.get(cluster.node(1), location)
        let messages = try #require(page.object?["messages"]?.elements).compactMap(\.object)
        #expect(messages.map { $0["data"]?.integer } == [Int64(number)])
        #expect(messages.first?["cursor"]?.string == answer.object?["cursor"]?.string)
        let again = try await HTTP.publish(name, "\(number)", key: "k\(number)", to: cluster.node(2))
        #expect(again.status == .ok && !again.headers.contains(name: "Location"))
      }
    }

    @Test func aBodyThatIsSomethingElseIsRefused() async throws {
      let cluster = try await ClusterTests.cluster()
      let path = "/v1/channels/\(channel())/messages"
      let types = [
        nil, "application/json", "application/cloudevents+json; charset=UTF-8", "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
      ]
      for type in types {
        var post = HTTPRequest(.POST, path, body: ByteBuffer(string: #"{"a":1}"#))
        if let type { post.headers.add(name: "Content-Type", value: type) }
        #expect(try await HTTP.send(post, to: cluster.node(0)).status == .created, "\(type ?? "none")")
      }
      for (field, value) in [
        ("Content-Type", "multipart/form-data; boundary=x"),
        ("Content-Type", "application/json; charset=utf-16"),
        ("Content-Type", "image/png"), ("Content-Encoding", "gzip"),
      ] {
        let headers = HTTPHeaders([(field, value)])
        let post = HTTPRequest(.POST, path, headers: headers, body: ByteBuffer(string: "1"))
        let answer = try await HTTP.send(post, to: cluster.node(0))
        #expect(answer.status == .unsupportedMediaType, "\(value)")
        #expect(answer.problem == "bad_request")
      }
      let page = try await HTTP.get(cluster.node(0), path)
      #expect(page.object?["messages"]?.elements?.count == types.count)
    }

    // MARK: pages

    @Test func aPageOfLargeMessagesIsBoundedAndLeadsOn() async throws {
      let cluster = try await ClusterTests.cluster()
      let name = channel()
      let data = "\"\(String(repeating: "x", count: 60_000))\""
      for _ in 0..<40 { #expect(try await HTTP.publish(name, data, to: cluster.node(0)).status == .created) }
      for (start, relation) in [("?since=start&limit=1000", "next"), ("?limit=1000", "prev")] {
        var offsets: [UInt64] = []
        var pages = 0
        var path: String? = "/v1/channels/\(name)/messages" + start
        while let link = path, pages < 10 {
          let page = try await HTTP.get(cluster.node(1), link)
          #expect(page.body.readableBytes < 1_100_000)
          guard case .history(_, _, let messages, let cursor, nil) = try ServerEvent(parsing: page.body)
          else {
            throw Shell.Failed(description: "no history: \(page.text.prefix(200))")
          }
          #expect(cursor == messages.last?.cursor)
          offsets += messages.map(\.cursor.offset)
          pages += 1
          let links = page.headers.first(name: "Link") ?? ""
          path = links.matches(of: /<([^>]*)>; rel="([a-z]+)"/).first { $0.2 == relation }.map {
            String($0.1)
          }
        }
        #expect(pages == 3)
        #expect(offsets.sorted() == Array(1...40))
      }
    }

    // MARK: errors

    @Test(arguments: [
      ("messages?limit=5&limit=5", "bad_request", "limit"),
      ("messages?since=start&since=start", "bad_request", "since"),
      ("messages?limit=", "bad_request", "limit"), ("presence?after=x", "bad_request", "after"),
      ("presence?limit=1001", "bad_request", "limit"), ("messages?limit=%zz", "bad_request", "%2F"),
      ("messages?since=start&before=abcdefgh.1", "bad_request", "since and before"),
    ])
    func aMistakeIsNamed(_ query: String, _ code: String, _ name: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let answer = try await HTTP.get(cluster.node(0), "/v1/channels/a/\(query)")
      #expect(answer.status == .badRequest)
      #expect(answer.problem == code)
      #expect(answer.object?["detail"]?.string?.contains(name) == true, "\(answer.text)")
      let known = try await HTTP.get(cluster.node(0), "/v1/channels/a/messages?unknown=1&unknown=2&limit=1")
      #expect(known.status == .ok)
    }

    @Test(arguments: [
      ("hello, are you there?\r\n\r\n", 400), ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
      ("GET /healthz HTTP/1.1\r\n\r\n", 400), ("GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", 404),
      ("PUT /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 405),
      ("GET /\(String(repeating: "a", count: 9_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
      ("GET /healthz HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 17_000))\r\n\r\n", 431),
      ("POST /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n", 413),
      ("GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417),
      ("POST /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
    ])
    func whatTheEntryRefusesIsAProblem(_ request: String, _ status: Int) async throws {
      let cluster = try await ClusterTests.cluster()
      let connection = try await RawConnection(to: cluster.node(0))
      connection.send(request)
      let answer = try await connection.text(with: #""status":\#(status),"#)
      #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
      #expect(answer.contains("\r\nContent-Type: application/problem+json\r\n"))
      #expect(answer.contains("\r\nCache-Control: no-store\r\n"))
      connection.close()
    }

    @Test func aRetryIsInvitedWhereItMakesSense() async throws {
      let cluster = try await ClusterTests.cluster()
      let name = channel()
      #expect(try await HTTP.publish(name, "1", to: cluster.node(0)).status == .created)
      try await cluster.kill9("redis")
      for path in ["/v1/channels/\(name)/messages", "/v1/channels/\(name)/presence", "/readyz"] {
        let answer = try await eventually("a refusal of \(path)") {
          let answer = try await HTTP.get(cluster.node(0), path)
          return answer.status == .serviceUnavailable ? answer : nil
        }
        #expect(answer.problem == "unavailable", "\(answer.text)")
        #expect((answer.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 0) >= 1)
      }
      let publish = try await HTTP.publish(name, "2", to: cluster.node(0))
      #expect(publish.status == .serviceUnavailable && publish.headers.contains(name: "Retry-After"))
      let never = try await HTTP.get(cluster.node(0), "/v1/channels/\(name)/messages?limit=0")
      #expect(never.status == .badRequest && !never.headers.contains(name: "Retry-After"))
    }
  }
}
