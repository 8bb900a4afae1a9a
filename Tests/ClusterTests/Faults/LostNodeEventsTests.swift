import SluiceClient
import Testing
import Wire

#if canImport(Glibc)
  import Glibc
#endif

extension ClusterTests {
  /// A backend that is told of events, whoever of the nodes dies.
  @Suite struct LostNodeEventsTests {
    @Test func aKilledNodesEventsAreToldByAnother() async throws {
      let cluster = try await ClusterTests.cluster()
      let hook = try await EventHook()
      // A database of its own: the cluster of the other tests is left alone.
      let flags = [
        "--redis", "redis://127.0.0.1:\(cluster.redisPort)/6", "--webhook", hook.url,
        "--webhook-decides", "none", "--webhook-timeout", "1s", "--webhook-events",
        "disconnect,channel-occupied,channel-vacated",
      ]
      try await LoneNode.run(["--node", "lost"] + flags) { lost in
        try await LoneNode.run(["--node", "kept"] + flags) { kept in
          try await observe(lost, kept, hook)
        }
      }
      try await hook.stop()
    }

    private func observe(_ lost: LoneNode, _ kept: LoneNode, _ hook: EventHook) async throws {
      let (shared, lone) = ("events:shared", "events:lone")
      let staying = try await Socket(to: kept.endpoint)
      try await staying.subscribe(shared)
      let doomed = try await Socket(to: lost.endpoint)
      let member = try await doomed.welcome().session.member
      try await doomed.subscribe(shared)
      try await doomed.subscribe(lone)
      try await eventually("both channels are occupied") {
        Set(hook.channels("channel-occupied")).isSuperset(of: [shared, lone])
      }
      kill(lost.process.pid, SIGKILL)
      try await eventually("its end", within: .seconds(40)) {
        hook.told.contains { $0.kind == "disconnect" && $0.member == member }
          && hook.channels("channel-vacated").contains(lone)
      }
      #expect(!hook.channels("channel-vacated").contains(shared))
      staying.close()
      try await eventually("the other end", within: .seconds(40)) {
        hook.channels("channel-vacated").contains(shared)
      }
      #expect(hook.told.count { $0.kind == "disconnect" } == 2)
      #expect(hook.channels("channel-occupied").count == 2)
      doomed.abort()
    }
  }
}

/// A backend that takes every event, and knows by its id what it was told before.
private struct EventHook {
  struct Told {
    var kind: String
    var channel: String?
    var member: String?
  }

  private let backend: HookBackend

  init() async throws {
    backend = try await HookBackend { _ in .json(nil) }
  }

  var url: String { backend.url }

  /// Who dies before it notes that an event was taken has it told again.
  var told: [Told] {
    var ids: Set<String> = []
    return backend.asked.flatMap { $0["events"]?.elements ?? [] }.compactMap { event in
      guard let event = event.object, let id = event["id"]?.string, let kind = event["kind"]?.string,
        ids.insert(id).inserted
      else { return nil }
      return Told(kind: kind, channel: event["channel"]?.string, member: event["member"]?.string)
    }
  }

  func channels(_ kind: String) -> [String] { told.filter { $0.kind == kind }.compactMap(\.channel) }

  func stop() async throws { try await backend.stop() }
}
