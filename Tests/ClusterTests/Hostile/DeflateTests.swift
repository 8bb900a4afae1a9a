import Framing
import NIOCore
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// permessage-deflate on a real node.
  @Suite struct DeflateTests {
    /// A raw connection that has become a WebSocket and offered to compress; and what was answered.
    private func socket(to endpoint: Endpoint, offering offer: String) async throws -> (RawConnection, String)
    {
      let connection = try await RawConnection(to: endpoint)
      connection.send(
        "GET /v1/socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          + "Sec-WebSocket-Extensions: \(offer)\r\n\r\n"
      )
      return (connection, try await connection.text(with: "\r\n\r\n"))
    }

    /// Runs `deflate.py`, beside this file, on a node.
    private func script(_ node: LoneNode, _ arguments: String...) async throws -> Shell.Outcome {
      try await Shell.run(
        [
          "\(Cluster.root)/.build/python/bin/python",
          "\(Cluster.root)/Tests/ClusterTests/Hostile/deflate.py",
          "\(node.endpoint.host):\(node.endpoint.port)",
        ] + arguments,
        in: Cluster.root
      )
    }

    @Test func twoOtherClientsExchangeTheSame() async throws {
      try await LoneNode.run(["--compression", "on", "--compress-above", "100B"]) { node in
        let outcome = try await script(node)
        #expect(outcome.status == 0 && outcome.output.contains("all exchanged"), "\(outcome.output)")
      }
    }

    /// Other clients take what is not compressed, too, and what uses less of a window than they have. So it is looked at
    /// what a node sends: that it compresses from the size on that it is told, each message by itself and for the window
    /// that was agreed, all of which it uses.
    @Test func whatIsSentIsCompressedAsWasAgreed() async throws {
      try await LoneNode.run(["--compression", "on", "--compress-above", "500B"]) { node in
        let outcome = try await script(node, "500")
        #expect(outcome.status == 0 && outcome.output.contains("all as agreed"), "\(outcome.output)")
      }
    }

    @Test func withoutTheSettingNothingIsAgreed() async throws {
      try await LoneNode.run([]) { node in
        let (connection, answer) = try await socket(to: node.endpoint, offering: "permessage-deflate")
        #expect(answer.hasPrefix("HTTP/1.1 101 ") && !answer.lowercased().contains("extensions"))
        connection.send(Attack.frame(0xc1, [0xaa]))
        #expect(try await connection.closeCode() == 1002)
      }
    }

    /// A few bytes that become many are as many.
    @Test func compressedMessagesCostWhatTheyAre() async throws {
      let message = #"{"type":"ping","id":1,"x":"\#(String(repeating: "a", count: 60_000))"}"#
      var small = ByteBuffer()
      Deflater().deflate(ByteBuffer(string: message), into: &small)
      let frame = Attack.frame(0xc1, Array(small.readableBytesView))
      #expect(frame.count < 1_000)
      // Five seconds' worth may come at once, which as they are sent are all of these and hundreds more.
      try await LoneNode.run(["--compression", "on", "--bytes-per-second", "64KiB"]) { node in
        let (connection, _) = try await socket(to: node.endpoint, offering: "permessage-deflate")
        connection.send(frame)
        _ = try await connection.text(with: #""pong""#)
        connection.send((0..<20).flatMap { _ in frame })
        #expect(try await connection.closeCode() == 1008)
        let text = connection.text
        #expect(text.contains("rate_limited"))
        #expect(text.ranges(of: #""pong""#).count <= 7)
        #expect(try await Metrics.value(#"sluice_refused_total{reason="offender"}"#, of: node.backends) == 1)
      }
    }

    @Test func bombsEndTheirConnectionAndCostNoMemory() async throws {
      let deflater = Deflater(level: 9)
      var bomb = ByteBuffer()
      deflater.deflate(ByteBuffer(repeating: 0x20, count: 32 << 20), into: &bomb)
      let frames = Attack.frame(0xc1, Array(bomb.readableBytesView))
      try await Attack.on(["--compression", "on"]) { node in
        let before = try node.memory()
        try await Attack.keepUp(every: .milliseconds(50)) {
          var sockets: [RawConnection] = []
          for _ in 0..<10 {
            let (connection, answer) = try await socket(to: node.endpoint, offering: "permessage-deflate")
            #expect(answer.contains("permessage-deflate"))
            connection.send(frames)
            sockets.append(connection)
          }
          for socket in sockets { #expect(try await socket.closeCode() == 1009) }
          #expect(try node.memory() < before + 96 << 20)
        }
        let (noise, _) = try await socket(to: node.endpoint, offering: "permessage-deflate")
        noise.send(Attack.frame(0xc1, [0xff, 0xff, 0xff]))
        #expect(try await noise.closeCode() == 1007)
      }
    }
  }
}
