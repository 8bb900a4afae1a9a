import SluiceClient
import Testing

/// A node whose limits are all within reach: one for all tests of a suite.
struct LimitScene: Sendable {
  @TaskLocal static var current: LimitScene?

  static let options = [
    "--event-loops", "1", "--head-timeout", "1s", "--body-timeout", "1s", "--idle-timeout", "1s",
    "--heartbeat",
    "1s", "--head-bytes", "16KiB", "--header-count", "16", "--idle-connections", "2",
    "--channels-per-connection", "3", "--messages-per-second", "20", "--bytes-per-second", "8KiB",
    "--subscribes-per-second", "2",
  ]
  static let namespaces = """
    namespaces:
      default: { max_message_bytes: 1KiB }
      big: { max_message_bytes: 4KiB }
    """

  let node: LoneNode

  var endpoint: Endpoint { node.endpoint }

  /// Does what is refused so many times, and sees it counted so often: for that reason, and for no other.
  func counts(_ reason: String, _ times: Int = 1, _ body: () async throws -> Void) async throws {
    let before = try await refusals()
    try await body()
    try await eventually("\(times) more for \(reason)") {
      try await refusals()[reason, default: 0] >= before[reason, default: 0] + times
    }
    var expected = before
    expected[reason, default: 0] += times
    #expect(try await refusals() == expected)
  }

  /// How often each limit has refused something.
  func refusals() async throws -> [String: Int] {
    let text = try await HTTP.get(node.backends, "/metrics").text
    let rows = text.matches(of: /sluice_refused_total\{reason="([a-z_]+)"\} ([0-9]+)/)
    return Dictionary(uniqueKeysWithValues: rows.map { (String($0.1), Int($0.2) ?? -1) })
  }
}

struct LimitScope: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test,
    testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await LoneNode.run(LimitScene.options, file: LimitScene.namespaces) { node in
      try await LimitScene.$current.withValue(LimitScene(node: node)) { try await function() }
    }
  }
}

extension Trait where Self == LimitScope {
  static var limits: LimitScope { LimitScope() }
}
