import NIOCore
import NIOHTTP1
import SluiceClient
import Testing

/// Those who send nothing at all.
extension ClusterTests.FloodTests {
  /// Whoever connects without a word takes what is there for clients, and nothing that the node needs itself.
  @Test func aFloodOfSilenceLeavesANodeItsRedis() async throws {
    let cluster = try await ClusterTests.cluster()
    let options = ["--node", "flooded", "--redis", "redis://127.0.0.1:\(cluster.redisPort)/6"]
    try await LoneNode.run(options, descriptors: 400) { node in
      var flood: [RawConnection] = []
      func fill() async throws {
        flood.removeAll(where: \.isEnded)
        while flood.count < 600 { flood += try await Attack.connections(20, to: node.endpoint) }
      }
      let one = ByteBuffer(string: #"{"publications":[{"channels":["flooded"],"data":1}]}"#)
      try await eventually("more than there is room for") {
        try await fill()
        return try await Metrics.value(#"sluice_refused_total{reason="connections"}"#, of: node.backends)
          > 100
      }
      _ = try await cluster.redis("CLIENT", "KILL", "TYPE", "normal")
      _ = try await cluster.redis("CLIENT", "KILL", "TYPE", "pubsub")
      try await eventually("a publish", within: .seconds(5)) {
        try await fill()
        let answer = try await HTTP.send(HTTPRequest(.POST, "/v1/publish", body: one), to: node.backends)
        return answer.status == .ok && answer.text.contains("cursor")
      }
      try await eventually("a feed", within: .seconds(5)) {
        try await fill()
        return try await HTTP.get(node.backends, "/readyz").status == .ok
      }
      let open = try await Metrics.value("process_open_fds", of: node.backends)
      #expect((1..<300).contains(open), "\(open)")
      for connection in flood { connection.close() }
    }
  }
}
