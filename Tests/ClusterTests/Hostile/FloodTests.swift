import Admission
import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// Those who send a great deal.
  @Suite struct FloodTests {
    @Test func aFloodOfConnectionsIsRefusedBeyondTheLimit() async throws {
      try await Attack.on(["--max-connections", "100"]) { node in
        var flood: [RawConnection] = []
        try await Attack.keepUp {
          let more = try await Attack.connections(20, to: node.endpoint)
          for connection in more { connection.send("GET /v1/socket HTTP/1.1\r\nHost: a\r\n") }
          flood += more
        }
        let refused = try await Metrics.value(
          #"sluice_refused_total{reason="connections"}"#,
          of: node.backends
        )
        #expect(refused > 100)
        #expect(try await Metrics.value("sluice_open_connections", of: node.backends) <= 100)
        let one = try await RawConnection(to: node.endpoint)
        one.send("GET /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try await one.textToTheEnd()
        #expect(answer.isEmpty || (answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("overloaded")))
        for connection in flood { connection.close() }
        try await eventually(
          "room",
          holds: {
            try await Metrics.value("sluice_open_connections", of: node.backends) < 10
          }
        )
        #expect(try await HTTP.get(node.endpoint, "/healthz").status == .ok)
      }
    }

    /// The first answers find the connection broken, while requests that nobody has read yet lie in the socket.
    @Test func whoResetsAmidItsRequestsEndsAlone() async throws {
      let request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
      let ping = Attack.frame(0x81, Array(#"{"type":"ping"}"#.utf8))
      try await Attack.on { node in
        try await Attack.keepUp {
          for connection in try await Attack.connections(20, to: node.endpoint) {
            connection.send(String(repeating: request, count: 2_000))
            connection.reset()
          }
          for _ in 0..<4 {
            let socket = try await Attack.socket(to: node.endpoint)
            socket.send(Array(repeating: ping, count: 2_000).flatMap { $0 })
            socket.reset()
          }
        }
        #expect(try await HTTP.get(node.endpoint, "/healthz").status == .ok)
      }
    }

    @Test func anAddressHasOnlySoManyConnections() async throws {
      try await Attack.on(["--connections-per-address", "20"]) { node in
        var other = node.endpoint
        other.sourceAddress = "127.0.0.7"
        let flood = try await Attack.connections(20, to: other)
        // Each is counted by its own event loop. The bystander is one more.
        try await eventually("all of them") {
          try await Metrics.value("sluice_open_connections", of: node.backends) >= 21
        }
        let one = try await RawConnection(to: other)
        one.send("GET /v1/stream?channels=a HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n")
        // A native EventSource takes any other status for final.
        let stream = try await one.textToTheEnd()
        #expect(stream.hasPrefix("HTTP/1.1 200 ") && stream.contains(#""code":"rate_limited""#), "\(stream)")
        let wait = try #require(stream.firstMatch(of: /retry: ([0-9]+)\n/).flatMap { Int($0.1) })
        #expect((5_000...10_000).contains(wait))
        let two = try await RawConnection(to: other)
        two.send("GET /v1/channels/a/messages HTTP/1.1\r\nHost: a\r\n\r\n")
        let answer = try await two.textToTheEnd()
        #expect(answer.hasPrefix("HTTP/1.1 429 ") && answer.contains("rate_limited"), "\(answer)")
        let seconds = answer.firstMatch(of: /Retry-After: ([0-9]+)\r\n/).flatMap { Int($0.1) }
        #expect((5...10).contains(try #require(seconds)))
        #expect(try await HTTP.get(node.endpoint, "/v1/channels/a/messages").status == .ok)
        #expect(try await Metrics.value(#"sluice_refused_total{reason="address"}"#, of: node.backends) >= 2)
        for connection in flood { connection.close() }
        try await eventually("room again") {
          let socket = try await Socket(to: other)
          defer { socket.abort() }
          return !socket.isClosed
        }
      }
    }

    /// Behind a proxy the client's own address counts, for what is held.
    @Test func aProxiedAddressHasOnlySoManyConnections() async throws {
      try await Attack.on(["--connections-per-address", "2", "--trusted-proxies", "127.0.0.1"]) { node in
        let network = "2001:db8:\(String(UInt16.random(in: .min ... .max), radix: 16))"
        let from = { (address: String) in HTTPHeaders([("X-Forwarded-For", "\(network)\(address)")]) }
        var held: [Socket] = []
        for _ in 0..<2 {
          let socket = try await Socket(to: node.endpoint, headers: from("::\(held.count)"))
          _ = try await socket.welcome()
          held.append(socket)
        }
        let refused = try await Socket(to: node.endpoint, headers: from("::99"))
        guard case .refused(let answer) = try await refused.closure() else {
          Issue.record("it came in")
          return
        }
        #expect(answer.status == 429)
        let other = try await Socket(to: node.endpoint, headers: from(":1::1"))
        _ = try await other.welcome()
        held[0].close()
        try await eventually("room again") {
          let socket = try await Socket(to: node.endpoint, headers: from("::7"))
          defer { socket.abort() }
          return !socket.isClosed
        }
        for socket in held + [other] { socket.abort() }
      }
    }

    @Test func anAddressMakesOnlySoManyRequests() async throws {
      try await Attack.on(["--requests-per-address", "5"]) { node in
        var eager = node.endpoint
        eager.sourceAddress = "127.0.\(Int.random(in: 1...250)).\(Int.random(in: 1...250))"
        var answers: [HTTPResponse] = []
        for _ in 0..<40 { answers.append(try await HTTP.get(eager, "/v1/channels/a/messages")) }
        #expect(answers.prefix(25).allSatisfy { $0.status == .ok })
        let refused = try #require(answers.first { $0.status == .tooManyRequests })
        #expect(refused.problem == "rate_limited")
        #expect(refused.headers.first(name: "Retry-After") != nil)
        #expect(try await HTTP.get(node.endpoint, "/v1/channels/a/messages").status == .ok)
        #expect(try await Metrics.value(#"sluice_refused_total{reason="requests"}"#, of: node.backends) > 0)
      }
    }

    @Test func anAddressReadsOnlySoManyLogs() async throws {
      try await Attack.on(["--reads-per-address", "5"]) { node in
        var eager = node.endpoint
        eager.sourceAddress = "127.0.\(Int.random(in: 1...250)).\(Int.random(in: 1...250))"
        var answers: [HTTPResponse] = []
        for _ in 0..<40 { answers.append(try await HTTP.get(eager, "/v1/channels/a/messages")) }
        #expect(answers.prefix(25).allSatisfy { $0.status == .ok })
        let refused = try #require(answers.first { $0.status == .tooManyRequests })
        #expect(refused.problem == "rate_limited")
        #expect(refused.headers.first(name: "Retry-After") != nil)
        for _ in 0..<20 { answers.append(try await HTTP.get(eager, "/v1/channels/a/presence")) }
        #expect(answers.suffix(20).contains { $0.problem == "rate_limited" })
        // What reads nothing goes on, and so do others.
        #expect(try await HTTP.poll(eager, "a", "wait=0").status == .ok)
        #expect(try await HTTP.get(node.endpoint, "/v1/channels/a/messages").status == .ok)
        let count = #"sluice_refused_total{reason="address_reads"}"#
        #expect(try await Metrics.value(count, of: node.backends) > 0)
      }
    }

    /// Each costs a signature, until none is looked at any more but of those who were there before.
    @Test func anAddressShowsOnlySoManyForgedTokens() async throws {
      let secret = Array("another secret of more than 32 bytes!!".utf8)
      let forger = try #require(TokenKey.read(secret).first)
      let forged = try await DoorKeys.token(key: forger)
      let (known, new) = (try await DoorKeys.token("ada"), try await DoorKeys.token("bob"))
      try await DoorKeys.withNode("--unverified-tokens-per-address", "5") { node in
        var eager = node.endpoint
        eager.sourceAddress = "127.0.\(Int.random(in: 1...250)).\(Int.random(in: 1...250))"
        let get = { (token: String, endpoint: Endpoint) in
          let headers: HTTPHeaders = ["Authorization": "Bearer \(token)"]
          return try await HTTP.get(endpoint, "/v1/channels/room:a/messages", headers: headers)
        }
        #expect(try await get(known, eager).status == .ok)
        var answers: [HTTPResponse] = []
        for _ in 0..<60 { answers.append(try await get(forged, eager)) }
        #expect(answers.prefix(25).allSatisfy { $0.status == .unauthorized })
        let refused = try #require(answers.first { $0.status == .tooManyRequests })
        #expect(refused.problem == "rate_limited")
        #expect(refused.headers.first(name: "Retry-After") != nil)
        #expect(try await get(known, eager).status == .ok)
        #expect(try await get(new, node.endpoint).status == .ok)
        #expect(try await Metrics.value(#"sluice_refused_total{reason="tokens"}"#, of: node.backends) > 0)
        let late = try await DoorKeys.token("eve")
        try await eventually("room for another token") { try await get(late, eager).status == .ok }
      }
    }

    /// A client that names ever new channels costs no more than it may subscribe, and what lingers.
    @Test func aFloodOfChannelNamesIsBounded() async throws {
      let cluster = try await ClusterTests.cluster()
      // A database of its own: the cluster of the other tests is left alone.
      let redis = "redis://127.0.0.1:\(cluster.redisPort)/6"
      let options = ["--redis", redis, "--node", "flooded", "--subscribes-per-second", "40"]
      let prefix = "flood:\(UInt32.random(in: .min ... .max))"
      try await Attack.on(options) { node in
        var sockets: [RawConnection] = []
        for _ in 0..<8 { sockets.append(try await Attack.socket(to: node.endpoint)) }
        // Five seconds' worth of subscribes each, and no more than their rate from then on.
        var names = 0
        try await eventually("each is refused", every: .milliseconds(50)) {
          let eager = sockets.enumerated().filter { !$1.text.contains("rate_limited") }
          let more = names == 0 ? 250 : 50
          for (number, socket) in eager {
            let wishes = (names..<names + more).flatMap { name in
              let channel = "\(prefix).\(number).\(name)"
              return Attack.frame(
                0x81,
                Array(#"{"type":"subscribe","id":\#(name),"channel":"\#(channel)"}"#.utf8)
              )
                + Attack.frame(0x81, Array(#"{"type":"unsubscribe","channel":"\#(channel)"}"#.utf8))
            }
            socket.send(wishes)
          }
          names += more
          return eager.isEmpty
        }
        try await Attack.isOver()
        #expect(
          try await Metrics.value(#"sluice_refused_total{reason="subscribes"}"#, of: node.backends) >= 8
        )
        for socket in sockets { socket.close() }
        // The bystander's is left.
        try await eventually("what lingers goes", within: .seconds(30)) {
          try await Metrics.value("sluice_channels", of: node.backends) <= 1
        }
      }
      // A name that nothing was published to leaves an epoch for an hour, not for a day.
      let ttl = try await cluster.redis("-n", "6", "TTL", "sluice:{\(prefix).0.0}:meta")
      #expect((1...3_600).contains(Int(ttl) ?? 0), "\(ttl)")
    }
  }
}
