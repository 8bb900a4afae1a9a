import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

/// Subscribers behind nginx and publishes to their channels, while nodes are drained.
struct DeployRun: Sendable {
  let cluster: Cluster
  let fleet: Fleet
  let workload: Workload

  /// Connects `count` subscribers of these transports in turn, in three channels.
  init(
    _ cluster: Cluster,
    _ count: Int,
    _ transports: [SubscriberTransport] = [.webSocket, .eventStream, .nativeEventSource],
    rate: Int = 60
  ) async throws {
    self.cluster = cluster
    let tag = String(UInt32.random(in: .min ... .max), radix: 36)
    let channels = try (1...3).map { try #require(ChannelName("room:deploy-\(tag)-\($0)")) }
    fleet = try await Fleet(
      (0..<count).map { number in
        let transport = transports[number % transports.count]
        var settings = SubscriberSettings(
          name: "\(transport.rawValue) \(number)",
          endpoint: cluster.nginx,
          channels: [channels[number % channels.count]]
        )
        settings.transport = transport
        return settings
      },
      over: .milliseconds(500)
    )
    try await fleet.ready()
    let workload = try await Workload(to: [cluster.nginx], channels, rate: rate, connections: 4)
    self.workload = workload
    try await eventually("the first messages") { workload.ledger.count > 3 }
  }

  /// Waits until everyone is connected to one of these nodes.
  func everyone(on nodes: [String], within limit: Duration = .seconds(30)) async throws {
    try await eventually("everyone on \(nodes)", within: limit, every: .milliseconds(50)) {
      try await fleet.count { $0.isReady && $0.node.map(nodes.contains) == true } == fleet.count
    }
  }

  /// Ends the load, and answers what everyone received: nothing may be lost, repeated, out of order or given up.
  func finish() async throws -> [DeliveryJournal] {
    try await workload.finish()
    try await fleet.caughtUp(with: workload.ledger.tails)
    let journals = try await fleet.journals()
    let verdict = workload.ledger.verdict(on: journals)
    #expect(verdict.isClean, "\(verdict)")
    #expect(verdict.gaps == [:])
    #expect(workload.ledger.failures == [])
    #expect(try await fleet.all { $0.givenUp }.compactMap(\.self) == [])
    try await fleet.stop()
    return journals
  }
}
