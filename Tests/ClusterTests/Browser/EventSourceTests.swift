import LoadTesting
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  /// The browser's own `EventSource`, with no client of ours, through nginx.
  @Suite struct EventSourceTests {
    private func listening(_ body: (Cluster, Listener) async throws -> Void) async throws {
      let cluster = try await ClusterTests.cluster()
      let channel = try #require(ChannelName("room:native-\(UInt32.random(in: .min ... .max))"))
      try await Browser.with(cluster) { browser in
        let workload = try await Workload(to: [cluster.nginx], [channel], rate: 20)
        let page = try await browser.open("page", cluster.nginx, "/healthz")
        let listener = try await Listener.eventSource(page, channel)
        try await listener.isConnected(by: "sse")
        let outcome: Result<Void, any Error>
        do {
          outcome = .success(try await body(cluster, listener))
        } catch {
          outcome = .failure(error)
        }
        try await workload.finish()
        try outcome.get()
        try await listener.hasAll(of: workload.ledger)
        try await cluster.up()
      }
    }

    @Test func aNodeDies() async throws {
      try await listening { cluster, listener in
        let node = try await listener.node()
        try await cluster.kill9(node)
        try await listener.isElsewhere(than: node)
        try await listener.isConnected(by: "sse")
      }
    }

    @Test func aNodeIsDrained() async throws {
      try await listening { cluster, listener in
        let node = try await listener.node()
        try await cluster.drain(node)
        try await listener.isElsewhere(than: node)
        try await listener.isConnected(by: "sse")
        try await cluster.undrain(node)
      }
    }

    @Test func noNodeIsThereForAWhile() async throws {
      try await listening { cluster, listener in
        for name in Cluster.nodeNames { try await cluster.kill9(name) }
        try await eventually("a lost stream", every: .milliseconds(50)) {
          try await listener.list.transport == nil
        }
        // nginx answers in their place, so that the browser comes back.
        let answer = try await HTTP.get(cluster.nginx, "/v1/stream?channels=room:any")
        #expect(answer.status == .ok)
        #expect(answer.text.hasPrefix("retry: "))
        try await cluster.up()
        try await listener.isConnected(by: "sse")
      }
    }
  }
}
