import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

/// Subscribers over every transport through nginx, publishes, members and those who watch them, while nodes are
/// replaced.
struct RollingRun: Sendable {
  let cluster: Cluster
  let fleet: Fleet
  let members: Fleet
  let watchers: [PresenceWatcher]
  let workload: Workload
  let room: ChannelName
  /// When everyone was connected.
  let start: NIODeadline

  /// What came of it.
  struct Outcome {
    let verdict: DeliveryVerdict
    let times: ConnectionTimes
    /// Members that somebody heard leave.
    let leaves: Set<Seat>
  }

  private static let memberCount = 24

  static func during(
    _ name: String,
    _ scale: RollingScale,
    _ restart: (RollingRun) async throws -> Void
  ) async throws -> Outcome {
    let cluster = try await ClusterTests.cluster()
    let tag = String(UInt32.random(in: .min ... .max), radix: 36)
    let channels = try (0..<scale.channels).map { try #require(ChannelName("rolling:\(tag)-\($0)")) }
    let room = try #require(ChannelName("rolling:\(tag)-members"))
    let transports = SubscriberTransport.allCases
    let fleet = try await Fleet(
      (0..<scale.clients).map { number in
        let transport = transports[number % transports.count]
        var settings = SubscriberSettings(
          name: "\(transport.rawValue) \(number)",
          endpoint: cluster.nginx,
          channels: [channels[number / transports.count % channels.count]]
        )
        settings.transport = transport
        return settings
      },
      over: .milliseconds(Int64(scale.clients * 2))
    )
    let watchers = [
      try await PresenceWatcher(of: [room], at: cluster.nginx),
      try await PresenceWatcher(of: [room], at: cluster.nginx),
      try await PresenceWatcher(of: [room], at: cluster.nginx),
    ]
    // A browser's own stream has no session to come back with.
    let keepers = transports.filter { $0 != .nativeEventSource }
    let members = try await Fleet(
      (0..<memberCount).map { number in
        let transport = keepers[number % keepers.count]
        var settings = SubscriberSettings(
          name: "member \(number)",
          endpoint: cluster.nginx,
          channels: [room]
        )
        settings.transport = transport
        settings.presence = .join
        return settings
      }
    )
    for fleet in [fleet, members] { try await fleet.ready(within: .seconds(120)) }
    for watcher in watchers {
      try await eventually("all members", holds: { watcher.present.count == memberCount })
    }
    let workload = try await Workload(to: [cluster.nginx], channels, rate: scale.rate, connections: 16)
    let run = RollingRun(
      cluster: cluster,
      fleet: fleet,
      members: members,
      watchers: watchers,
      workload: workload,
      room: room,
      start: .now()
    )
    let outcome: Result<Void, any Error>
    do {
      try await run.traffic(scale.rate)
      try await restart(run)
      try await run.traffic(scale.rate)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    return try await run.finish(name, outcome)
  }

  /// Waits until two seconds' worth of publishes has been answered.
  private func traffic(_ rate: Int) async throws {
    let before = workload.ledger.count
    try await eventually("answers to publishes", within: .seconds(60), every: .milliseconds(50)) {
      workload.ledger.count >= before + rate * 2
    }
  }

  private func finish(_ name: String, _ outcome: Result<Void, any Error>) async throws -> Outcome {
    try await workload.finish()
    try await fleet.caughtUp(with: workload.ledger.tails)
    let journals = try await fleet.journals()
    var leaves: Set<Seat> = []
    for watcher in watchers { leaves.formUnion(watcher.leaves) }
    for watcher in watchers { watcher.stop() }
    try await fleet.stop()
    try await members.stop()
    try outcome.get()
    let verdict = workload.ledger.verdict(on: journals)
    let times = ConnectionTimes(journals, since: start)
    print("\(name): \(fleet.count) clients: \(verdict)\n\(times)")
    #expect(verdict.isClean, "\(name): \(verdict)")
    #expect(verdict.gaps == [:])
    #expect(workload.ledger.failures == [], "\(name): publishes were given up")
    #expect(journals.flatMap(\.complaints) == [])
    #expect(leaves == [], "\(name): members were heard to leave")
    return Outcome(verdict: verdict, times: times, leaves: leaves)
  }
}
