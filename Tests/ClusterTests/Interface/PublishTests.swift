import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Publishing over HTTP.
  @Suite struct PublishTests {
    @Test func answersTheCursorAndCountsOn() async throws {
      let cluster = try await ClusterTests.cluster()
      var cursors: [Cursor] = []
      for number in 0..<3 {
        let response = try await HTTP.publish("room:count", "\(number)", to: cluster.node(number))
        #expect(response.status == .created)
        #expect(response.object?["channel"]?.string == "room:count")
        cursors.append(try #require(response.object?["cursor"]?.string.flatMap { Cursor($0) }))
      }
      #expect(Set(cursors.map(\.epoch)).count == 1)
      #expect(cursors.map(\.offset) == (0..<3).map { cursors[0].offset + $0 })
    }

    @Test func aRepeatedKeyIsStoredOnceOnAnyNode() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      try await socket.subscribe("room:keys")
      let first = try await HTTP.publish("room:keys", "1", key: "order-1", to: cluster.node(0))
      let again = try await HTTP.publish("room:keys", "1", key: "order-1", to: cluster.node(1))
      #expect(first.status == .created)
      #expect(again.status == .ok)
      #expect(first.object?["cursor"]?.string == again.object?["cursor"]?.string)
      let room = try #require(ChannelName("room:keys"))
      socket.send(5, .publish(channel: room, data: ByteBuffer(string: "1"), key: "order-1"))
      let third = try await socket.event("published") { event -> Cursor? in
        if case .published(5, room, let cursor) = event { cursor } else { nil }
      }
      #expect(third.description == first.object?["cursor"]?.string)
      #expect(try await HTTP.publish("room:keys", "2", to: cluster.node(2)).status == .created)
      try await socket.message("2")
      #expect(socket.events.count { if case .message = $0 { true } else { false } } == 2)
      socket.abort()
    }

    @Test(arguments: [
      ("a", "", 400, "bad_json"), ("a", "{", 400, "bad_json"), ("a", "1 2", 400, "bad_json"),
      ("a%20b", "1", 400, "bad_channel"), (String(repeating: "c", count: 129), "1", 400, "bad_channel"),
    ])
    func aMistakeIsAProblem(_ channel: String, _ body: String, _ status: Int, _ code: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let response = try await HTTP.publish(channel, body, to: cluster.node(0))
      #expect(Int(response.status.code) == status)
      #expect(response.problem == code, "\(response.text)")
    }

    @Test func whatIsTooLargeIsRefusedAndTheLargestIsTaken() async throws {
      let cluster = try await ClusterTests.cluster()
      let largest = "\"" + String(repeating: "x", count: 65_534) + "\""
      #expect(try await HTTP.publish("room:large", largest, to: cluster.node(0)).status == .created)
      let response = try await HTTP.publish("room:large", largest + " ", to: cluster.nginx)
      #expect(response.status == .payloadTooLarge)
      #expect(response.problem == "too_large")
    }

    @Test func anyJSONValueTravelsAsItCame() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(2))
      try await socket.subscribe("room:values")
      for value in ["null", "true", "-1.5e3", #""ü\u00e9""#, "[]", #"{"a": [1, {"b": null}]}"#] {
        #expect(try await HTTP.publish("room:values", value, to: cluster.node(0)).status == .created)
        try await socket.message(value)
      }
      #expect(
        try await HTTP.publish("room:values", "{\n\"a\":\r\n1}", to: cluster.node(0)).status == .created
      )
      try await socket.message("{ \"a\":  1}")
      socket.abort()
    }

    @Test func unknownRoutesAndMethodsAreProblems() async throws {
      let cluster = try await ClusterTests.cluster()
      let missing = try await HTTP.get(cluster.node(0), "/v1/nothing")
      #expect(missing.status == .notFound)
      #expect(missing.problem == "not_found")
      let method = try await HTTP.send(HTTPRequest(.DELETE, "/v1/channels/a/messages"), to: cluster.node(0))
      #expect(method.status == .methodNotAllowed)
      #expect(method.problem == "method_not_allowed")
      #expect(method.headers.first(name: "Allow")?.contains("POST") == true)
    }

    @Test func oneConnectionServesManyRequests() async throws {
      let cluster = try await ClusterTests.cluster()
      let connection = try await RawConnection(to: cluster.node(0))
      for number in 1...3 {
        connection.send(
          "POST /v1/channels/room:alive/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n\(number)"
        )
        try await eventually("answer \(number)") {
          connection.text.split(separator: "HTTP/1.1 201 ").count == number
            && connection.text.hasSuffix("}")
        }
      }
      connection.send(
        "POST /v1/channels/room:alive/messages HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\n4"
      )
      _ = try await connection.textToTheEnd()
    }
  }
}
