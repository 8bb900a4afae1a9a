import Foundation
import Framing
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// `sluice echo`, the codec alone.
  @Suite struct EchoTests {
    private func withEcho(_ body: (Endpoint) async throws -> Void) async throws {
      let cluster = try await ClusterTests.cluster()
      let port = try FreePorts.pick(1)[0]
      let process = try ChildProcess([cluster.binary, "echo", "--listen", "127.0.0.1:\(port)"])
      let outcome: Result<Void, any Error>
      do {
        let endpoint = Endpoint(host: "127.0.0.1", port: port)
        try await eventually("the echo") { (try? await RawConnection(to: endpoint))?.close() != nil }
        outcome = .success(try await body(endpoint))
      } catch {
        outcome = .failure(error)
      }
      kill(process.pid, SIGTERM)
      _ = try await process.exit(within: .seconds(20))
      try outcome.get()
    }

    @Test func echoesEveryDataMessage() async throws {
      try await withEcho { endpoint in
        let socket = try await Socket(to: endpoint, path: "/", parsing: false)
        _ = try await socket.opened()
        for text in ["", "hello", "ü€😀", String(repeating: "x", count: 70_000)] {
          socket.send(text: text)
          _ = try await socket.arrivals.first("the echo of \(text.prefix(10))") {
            if case .text(text) = $0 { true } else { nil }
          }
        }
        let bytes = ByteBuffer(bytes: (0...255).map { UInt8($0) })
        try await socket.connection.use { $0.sendFrame(.binary, bytes) }
        _ = try await socket.arrivals.first("the binary echo") {
          if case .binary(bytes) = $0 { true } else { nil }
        }
        socket.close()
        #expect(try await socket.closeCode() == 1000)
      }
    }

    @Test func joinsFragmentsAndAnswersWhatComesBetween() async throws {
      try await withEcho { endpoint in
        let socket = try await Socket(to: endpoint, path: "/", parsing: false)
        _ = try await socket.opened()
        // The character in the middle is split between two fragments.
        let euro = Array("€".utf8)
        try await socket.connection.use { connection in
          connection.sendFrame(.text, isFinal: false, ByteBuffer(string: "a"))
          connection.sendFrame(.continuation, isFinal: false, ByteBuffer(bytes: euro[..<1]))
          connection.sendPing(ByteBuffer(string: "1"))
          connection.sendFrame(.continuation, isFinal: false, ByteBuffer(bytes: euro[1...]))
          connection.sendFrame(.continuation, isFinal: false, ByteBuffer())
          connection.sendPing(ByteBuffer(string: "2"))
          connection.sendFrame(.continuation, isFinal: true, ByteBuffer(string: "b"))
        }
        _ = try await socket.arrivals.first("the echo") { if case .text("a€b") = $0 { true } else { nil } }
        let pongs = socket.arrivals.all.compactMap {
          if case .pong(let payload) = $0 { payload } else { nil }
        }
        #expect(pongs == [ByteBuffer(string: "1"), ByteBuffer(string: "2")])
        socket.abort()
      }
    }

    @Test func takesSixteenMebibytesAndNoMore() async throws {
      try await withEcho { endpoint in
        let limit = 16 << 20
        let socket = try await Socket(to: endpoint, path: "/", parsing: false, maximumMessageSize: limit)
        _ = try await socket.opened()
        let bytes = ByteBuffer(repeating: 7, count: limit)
        try await socket.connection.use { $0.sendFrame(.binary, bytes) }
        _ = try await socket.arrivals.first("the echo", within: .seconds(60)) {
          if case .binary(let echo) = $0 { echo.readableBytes == limit ? true : nil } else { nil }
        }
        socket.send(raw: [0x82, 0xff, 0, 0, 0, 0, 0x01, 0, 0, 1, 0, 0, 0, 0])
        #expect(try await socket.closeCode() == 1009)
      }
    }
  }
}
