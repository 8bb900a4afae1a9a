import LoadTesting
import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct HostileInputTests {
    /// A neighbour on the same node, and messages for it as long as `body` runs.
    private func besideANeighbour(_ body: (Endpoint) async throws -> Void) async throws {
      let cluster = try await ClusterTests.cluster()
      let room = try #require(ChannelName("room:neighbour"))
      let fleet = try await Fleet(
        [SubscriberTransport.webSocket, .eventStream].map { transport in
          var settings = SubscriberSettings(name: "\(transport)", endpoint: cluster.node(0), channels: [room])
          settings.transport = transport
          return settings
        }
      )
      try await fleet.ready()
      let workload = try await Workload(to: [cluster.node(1)], [room], rate: 50, connections: 1)
      try await eventually("the first messages") { workload.ledger.count > 2 }
      let outcome: Result<Void, any Error>
      do { outcome = .success(try await body(cluster.node(0))) } catch { outcome = .failure(error) }
      let count = workload.ledger.count
      try await eventually("more messages") { workload.ledger.count > count + 2 }
      try await workload.finish()
      try await fleet.caughtUp(with: workload.ledger.tails)
      let journals = try await fleet.journals()
      let verdict = workload.ledger.verdict(on: journals)
      #expect(verdict.isClean, "\(verdict)")
      #expect(workload.ledger.failures == [])
      #expect(journals.allSatisfy { $0.connections.count == 1 })
      try await fleet.stop()
      try outcome.get()
    }

    @Test(arguments: [
      ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}", 400), ("nonsense\r\n\r\n", 400),
      ("\r\n\r\n\r\nGET\r\n\r\n", 400), ("GET  / HTTP/1.1\r\nHost a\r\n\r\n", 400),
      ("GET / HTTP/9.9\r\n\r\n", 505),
    ])
    func garbageInsteadOfHTTPIsAnsweredAndClosed(_ garbage: String, _ status: Int) async throws {
      try await besideANeighbour { node in
        let connection = try await RawConnection(to: node)
        connection.send(garbage)
        let answer = try await connection.textToTheEnd()
        #expect(
          answer.hasPrefix("HTTP/1.1 \(status) ") || answer.hasPrefix("HTTP/1.0 \(status) "),
          "\(answer.debugDescription)"
        )
      }
    }

    @Test func aHalfSentHandshakeIsNotWaitedForForever() async throws {
      try await besideANeighbour { node in
        let connection = try await RawConnection(to: node)
        connection.send("GET /v1/socket HTTP/1.1\r\nHost: a\r\nUpgrade: webso")
        let answer = try await connection.textToTheEnd(within: .seconds(45))
        #expect(
          answer.isEmpty || answer.hasPrefix("HTTP/1.1 408 ") || answer.hasPrefix("HTTP/1.1 400 "),
          "\(answer)"
        )
      }
    }

    @Test(
      arguments: [
        ("an unmasked frame", [0x81, 0x01, 0x61], 1002),
        ("a declared gibibyte", [0x82, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4], 1009),
      ] as [(String, [UInt8], UInt16)]
    )
    func aHostileFrameClosesItsOwnConnection(_ name: String, _ frame: [UInt8], _ code: UInt16) async throws {
      try await besideANeighbour { node in
        let socket = try await Socket(to: node)
        _ = try await socket.welcome()
        socket.send(raw: frame)
        #expect(try await socket.closeCode() == code, "\(name)")
      }
    }

    @Test(
      arguments: [
        ("{\"type\":", nil, ErrorCode.badJSON), ("nonsense", nil, .badJSON),
        (#"{"type":"dance","id":1}"#, 1, .unknownType),
        (#"{"type":"subscribe","id":2,"channel":"\#(String(repeating: "c", count: 129))"}"#, 2, .badChannel),
      ] as [(String, Int64?, ErrorCode)]
    )
    func aBadMessageIsAnswered(_ text: String, _ id: Int64?, _ code: ErrorCode) async throws {
      try await besideANeighbour { node in
        let socket = try await Socket(to: node)
        _ = try await socket.welcome()
        socket.send(text: text)
        #expect(try await socket.error(id).code == code)
        socket.send(9, .ping)
        _ = try await socket.event("pong") { if case .pong(9) = $0 { true } else { nil } }
        socket.abort()
      }
    }

    @Test func aChannelNameOf129CharactersIsAProblemInHTTP() async throws {
      try await besideANeighbour { node in
        let long = String(repeating: "c", count: 129)
        let publish = try await HTTP.publish(long, "1", to: node)
        #expect(publish.status == .badRequest)
        #expect(publish.problem == "bad_channel")
        let stream = try await HTTP.get(node, "/v1/stream?channels=\(long)")
        #expect(stream.status == .badRequest)
        #expect(stream.problem == "bad_channel")
        let taken = try await HTTP.publish(String(long.dropLast()), "1", to: node)
        #expect(taken.status == .created)
      }
    }

    @Test func headersWithoutEndAreRefused() async throws {
      try await besideANeighbour { node in
        let connection = try await RawConnection(to: node)
        connection.send("GET /v1/stream?channels=a HTTP/1.1\r\n")
        for number in 0..<4_000 {
          if connection.isEnded { break }
          connection.send("X-Header-\(number): \(String(repeating: "x", count: 100))\r\n")
        }
        let answer = try await connection.textToTheEnd()
        #expect(answer.hasPrefix("HTTP/1.1 4"), "\(answer)")
      }
    }
  }
}
