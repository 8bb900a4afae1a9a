import NIOCore
import NIOHTTP1
import SluiceClient
import Testing

extension ClusterTests {
  /// How many connections a user may have, in the whole cluster.
  @Suite struct UserLimitTests {
    @Test func aUserHasOnlySoManyOnAllNodesAndTransports() async throws {
      let cluster = try await ClusterTests.cluster()
      // A database of its own: the cluster of the other tests is left alone.
      let redis = "redis://127.0.0.1:\(cluster.redisPort)/5"
      let options = ["--redis", redis, "--connections-per-user", "3"]
      try await DoorKeys.withNode(options: options + ["--node", "one"]) { one in
        try await DoorKeys.withNode(options: options + ["--node", "two"]) { two in
          try await observe(one, two)
        }
      }
    }

    private func observe(_ one: LoneNode, _ two: LoneNode) async throws {
      let ada = ["Authorization": "Bearer \(try await DoorKeys.token("ada"))"] as HTTPHeaders
      let first = try await Socket(to: one.endpoint, headers: ada)
      let second = try await Socket(to: two.endpoint, headers: ada)
      let session = try await first.welcome().session.secret
      _ = try await second.welcome()
      // It may come when one of those has the place that are only tried below.
      let held = Task {
        try await eventually("a poll that has a place", every: .milliseconds(20)) {
          let answer = try await HTTP.poll(two.endpoint, "room:user", "wait=55", headers: ada)
          return answer.status == .tooManyRequests ? nil : answer
        }
      }
      for node in [one, two] {
        try await eventually("no more on that node") {
          let more = try await Socket(to: node.endpoint, headers: ada)
          guard more.isClosed else {
            more.abort()
            return false
          }
          guard case .refused(let answer) = try await more.closure() else { return false }
          return answer.status == 429
        }
        let polled = try await HTTP.poll(node.endpoint, "room:user", "wait=55", headers: ada)
        #expect(polled.status == .tooManyRequests && polled.problem == "rate_limited")
        #expect(polled.headers.contains(name: "Retry-After"))
        // What is over at once is not counted.
        #expect(
          try await HTTP.poll(node.endpoint, "room:user", "wait=0", headers: ada).status == .ok
        )
        let text = try await HTTP.get(node.endpoint, "/v1/stream?channels=room:user", headers: ada).text
        #expect(text.hasPrefix("retry:") && !text.contains("welcome"))
      }
      let others = ["Authorization": "Bearer \(try await DoorKeys.token("grace"))"] as HTTPHeaders
      _ = try await Socket(to: two.endpoint, headers: others).welcome()

      // Who goes on with a session is not kept out by the connection that it comes from; but that is one more, no more.
      let returning = "/v1/socket?session=\(session)"
      let back = try await Socket(to: two.endpoint, path: returning, headers: ada)
      #expect(try await back.welcome().session.secret == session)
      let again = try await Socket(to: one.endpoint, path: returning, headers: ada)
      if case .refused(let answer) = try await again.closure() {
        #expect(answer.status == 429)
      } else {
        Issue.record("a fifth connection came in")
      }
      back.close()

      // Who leaves makes room, and so does a poll that is answered.
      first.close()
      try await eventually("room") {
        let more = try await Socket(to: two.endpoint, headers: ada)
        return !more.isClosed
      }
      let publish = HTTPRequest(
        .POST,
        "/v1/channels/room:user/messages",
        headers: ada,
        body: ByteBuffer(string: "1")
      )
      #expect(try await HTTP.send(publish, to: one.endpoint).status == .created)
      #expect(try await held.value.status == .ok)
      try await eventually("room again") {
        let more = try await Socket(to: one.endpoint, headers: ada)
        return !more.isClosed
      }
      #expect(try await Metrics.value(#"sluice_refused_total{reason="user"}"#, of: two.backends) >= 3)
    }
  }
}
