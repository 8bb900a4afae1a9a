import NIOCore
import NIOHTTP1
import SluiceClient
import Testing
import Wire

extension ClusterTests {
  @Suite struct ResumeCostTests {
    /// What a drained node's clients ask of the next ones is served from memory.
    @Test func manyWhoMoveCostRedisLittle() async throws {
      let cluster = try await ClusterTests.cluster()
      for name in ["gateway-1", "gateway-2"] {
        let answer = try await cluster.drain(name, over: 0, at: 2)
        #expect(answer.status == .ok, "\(answer.text)")
      }
      try await cluster.wait(for: "drained", of: 0)
      try await cluster.wait(for: "drained", of: 1)
      let transports: [SubscriberTransport] = [.webSocket, .webSocket, .webSocket, .eventStream]
      let run = try await DeployRun(cluster, 1_500, transports, rate: 3)
      try await run.everyone(on: ["gateway-3"], within: .seconds(60))
      for name in ["gateway-1", "gateway-2"] {
        #expect(try await cluster.undrain(name, at: 2).status == .ok)
      }
      let before = try await cost(cluster)
      #expect(try await cluster.drain("gateway-3", over: 5, at: 0).status == .ok)
      try await cluster.wait(for: "drained", of: 2, within: .seconds(60))
      try await run.everyone(on: ["gateway-1", "gateway-2"], within: .seconds(60))
      let after = try await cost(cluster)
      let (resumes, reads) = (after.resumes - before.resumes, after.reads - before.reads)
      print("  \(Int(resumes)) resumes cost \(Int(reads)) reads")
      #expect(resumes >= 1_500)
      #expect(reads * 1_000 / resumes <= 30, "\(reads) reads for \(resumes) resumes")
      // The gauge is of the node's whole life, which other tests had a part in.
      let ratio =
        try await cluster.metric("sluice_resume_reads_total", of: 0) * 1_000
        / (try await cluster.metric("sluice_resumes_total", of: 0))
      #expect(abs(try await cluster.metric("sluice_resume_reads_per_thousand", of: 0) - ratio) <= 1)
      let shown = try await HTTP.get(cluster.operating(2), "/v1/nodes/gateway-1").object?["resumes"]?.object
      #expect((shown?["total"]?.integer ?? 0) > 0)
      #expect(shown?["reads_per_thousand"] != nil)
      #expect(try await cluster.undrain("gateway-3", at: 0).status == .ok)
      _ = try await run.finish()
    }

    private func cost(_ cluster: Cluster) async throws -> (resumes: Double, reads: Double) {
      var cost = (resumes: 0.0, reads: 0.0)
      for index in 0..<2 {
        cost.resumes += try await cluster.metric("sluice_resumes_total", of: index)
        cost.reads += try await cluster.metric("sluice_resume_reads_total", of: index)
      }
      return cost
    }
  }
}
