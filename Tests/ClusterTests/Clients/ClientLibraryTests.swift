import SluiceClient
import Testing

extension ClusterTests {
  /// Client libraries that know nothing of us, each with the same exchange over two nodes: connecting, publishing,
  /// ordered delivery, coming back to another node without a loss, errors, close codes.
  @Suite struct ClientLibraryTests {
    @Test(arguments: ["websockets", "websocket-client"])
    func webSocketLibrary(_ name: String) async throws { try await exchange("websocket", name) }

    @Test(arguments: ["sseclient-py", "httpx-sse"])
    func eventStreamLibrary(_ name: String) async throws { try await exchange("sse", name) }

    private func exchange(_ kind: String, _ library: String) async throws {
      let cluster = try await ClusterTests.cluster()
      let nodes = [cluster.node(0), cluster.node(1)].map { "\($0.host):\($0.port)" }
      let program = [
        "\(Cluster.root)/.build/python/bin/python", "\(Cluster.root)/Tests/ClusterTests/Clients/exchange.py",
      ]
      let outcome = try await Shell.run(program + [kind, library] + nodes, in: cluster.directory)
      #expect(outcome.status == 0, "\(outcome.output)")
    }
  }
}
