import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// What the operator listener says.
  @Suite struct OperatorTests {
    @Test func namesEveryNodeOnEveryNode() async throws {
      let cluster = try await ClusterTests.cluster()
      let sockets = [
        try await Socket(to: cluster.node(0)), try await Socket(to: cluster.node(1)),
        try await Socket(to: cluster.node(2)),
      ]
      for socket in sockets { _ = try await socket.welcome() }
      for index in 0..<3 {
        try await eventually("three nodes with their connections, said by \(Cluster.nodeNames[index])") {
          let response = try await HTTP.get(cluster.operating(index), "/v1/nodes")
          guard response.status == .ok, let nodes = response.object?["nodes"]?.elements?.compactMap(\.object)
          else {
            return false
          }
          let ready = nodes.filter { $0["state"]?.string == "ready" }
          return Set(ready.compactMap { $0["node"]?.string }) == Set(Cluster.nodeNames)
            && ready.allSatisfy { node in
              let connections = node["connections"]?.object
              return node["incarnation"]?.string?.isEmpty == false && node["version"]?.string != nil
                && node["uptime_s"]?.integer != nil && (connections?["websocket"]?.integer ?? 0) >= 1
                && connections?["sse"]?.integer != nil && connections?["poll"]?.integer != nil
            }
        }
      }
      let one = try await HTTP.get(cluster.operating(0), "/v1/nodes/gateway-3")
      #expect(one.status == .ok)
      #expect(one.object?["node"]?.string == "gateway-3")
      #expect(try await HTTP.get(cluster.operating(0), "/v1/nodes/nobody").status == .notFound)
      for socket in sockets { socket.abort() }
    }

    @Test func countsInPrometheusText() async throws {
      let cluster = try await ClusterTests.cluster()
      let socket = try await Socket(to: cluster.node(0))
      try await socket.subscribe("room:metrics")
      let before = try await metrics(cluster)
      for number in 0..<5 {
        #expect(try await HTTP.publish("room:metrics", "\(number)", to: cluster.node(0)).status == .created)
        try await socket.message("\(number)")
      }
      try await eventually("the counters") {
        let after = try await metrics(cluster)
        let published = Self.sum(after, ["publish"]) - Self.sum(before, ["publish"])
        let delivered = Self.sum(after, ["deliver"]) - Self.sum(before, ["deliver"])
        return published >= 5 && delivered >= 5
      }
      let text = try await metrics(cluster)
      let connections = text.filter {
        $0.hasPrefix("sluice_") && $0.contains("connections") && $0.contains("websocket")
      }
      #expect(connections.contains { Self.value($0) >= 1 }, "\(text.joined(separator: "\n"))")
      socket.abort()
    }

    private func metrics(_ cluster: Cluster) async throws -> [String] {
      let response = try await HTTP.get(cluster.operating(0), "/metrics")
      #expect(response.status == .ok)
      #expect(response.headers.first(name: "Content-Type")?.hasPrefix("text/plain") == true)
      return response.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    }

    private static func value(_ line: String) -> Double {
      line.split(separator: " ").last.flatMap { Double($0) } ?? 0
    }

    /// Of all series whose name contains each of the words, histograms' parts apart.
    private static func sum(_ lines: [String], _ words: [String]) -> Double {
      lines.filter { line in
        let name = line.prefix { $0 != "{" && $0 != " " }
        return words.allSatisfy(name.contains) && name.hasSuffix("_total")
      }.map(value).reduce(0, +)
    }

    @Test func isNotServedToClients() async throws {
      let cluster = try await ClusterTests.cluster()
      for path in ["/metrics", "/v1/nodes"] {
        #expect(try await HTTP.get(cluster.node(0), path).status == .notFound)
        #expect(try await HTTP.get(cluster.nginx, path).status == .notFound)
      }
      for endpoint in [cluster.node(0), cluster.operating(0)] {
        #expect(try await HTTP.get(endpoint, "/healthz").status == .ok)
        #expect(try await HTTP.get(endpoint, "/readyz").status == .ok)
      }
    }

    @Test func servesItsDemoPage() async throws {
      let cluster = try await ClusterTests.cluster()
      let page = try await HTTP.get(cluster.nginx, "/")
      #expect(page.status == .ok)
      #expect(page.headers.first(name: "Content-Type")?.hasPrefix("text/html") == true)
      #expect(page.text.contains("<html"))
    }
  }
}
