import LoadTesting
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// What judges a node under attack.
  @Suite struct BystanderTests {
    /// While a node stands still nothing comes that could be measured: it is what comes late that tells.
    @Test func aNodeThatStandsStillAtTheEndIsSeen() async throws {
      try await LoneNode.run([]) { node in
        let bystander = try await Bystander(of: node.endpoint)
        defer { bystander.stop() }
        _ = try await bystander.times()
        bystander.begin()
        _ = try await bystander.times(100)
        #expect(kill(node.process.pid, SIGSTOP) == 0)
        // A message every few milliseconds: the first of these waits for the most part of a second.
        try await eventually("what is not heard") { bystander.unheard >= 150 }
        async let verdict = bystander.verdict()
        try await eventually("what is sent after the verdict was asked for") { bystander.unheard >= 200 }
        #expect(kill(node.process.pid, SIGCONT) == 0)
        let times = try await verdict
        #expect(times.count >= 250)
        #expect(times.percentile(99) >= 700_000, "\(times.percentile(99)) us")
        #expect(bystander.strange == [] && bystander.closure == nil)
      }
    }
  }
}
