import Testing

/// Starts the cluster before the first test of a suite and takes it down after the last.
struct ClusterScope: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test,
    testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    let cluster = try Cluster()
    let outcome: Result<Void, any Error>
    do {
      try await cluster.up()
      outcome = .success(try await Cluster.$current.withValue(cluster) { try await function() })
    } catch {
      outcome = .failure(error)
    }
    try await cluster.down()
    try outcome.get()
  }
}

extension Trait where Self == ClusterScope {
  static var cluster: ClusterScope { ClusterScope() }
}

/// Everything that is shown on a real cluster. The tests share one, so they run one after another.
@Suite(
  .serialized,
  .cluster,
  .timeLimit(.minutes(5)),
  .compactMapIssues { issue in
    Cluster.current?.noteFailure()
    return issue
  }
)
struct ClusterTests {
  /// The cluster, whole.
  static func cluster() async throws -> Cluster {
    let cluster = try #require(Cluster.current, "outside of the suite there is no cluster")
    try await cluster.makeWhole()
    return cluster
  }
}
