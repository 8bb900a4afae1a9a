import LoadTesting
import NIOCore
import SluiceClient
import Testing
import Wire

/// Subscribers over both transports through nginx, and publishes that are repeated until they are answered,
/// while something goes wrong.
struct FaultRun: Sendable {
  let cluster: Cluster
  let fleet: Fleet
  let workload: Workload

  /// What came of it.
  struct Outcome {
    let verdict: DeliveryVerdict
    let journals: [DeliveryJournal]
  }

  /// Runs `fault` under load and says how it went, once everyone has caught up and everything is answered.
  /// - Parameters:
  ///   - payload: bytes of text in each message.
  ///   - shape: changes the settings of the subscriber with this number.
  static func during(
    _ name: String,
    payload: Int = 60,
    shape: (Int, inout SubscriberSettings) -> Void = { _, _ in },
    _ fault: (FaultRun) async throws -> Void
  ) async throws -> Outcome {
    let cluster = try await ClusterTests.cluster()
    let scale = FaultScale.asked
    let tag = String(UInt32.random(in: .min ... .max), radix: 36)
    let channels = try (0..<scale.channels).map { try #require(ChannelName("fault:\(tag)-\($0)")) }
    let settings = (0..<scale.clients).map { number in
      var settings = SubscriberSettings(
        name: "subscriber \(number)",
        endpoint: cluster.nginx,
        channels: [channels[number % channels.count]]
      )
      settings.transport = (number / channels.count).isMultiple(of: 2) ? .webSocket : .eventStream
      shape(number, &settings)
      return settings
    }
    let fleet = try await Fleet(settings, over: .milliseconds(Int64(scale.clients * 3)))
    try await fleet.ready(within: .seconds(90))
    let workload = try await Workload(
      to: [cluster.nginx],
      channels,
      rate: scale.rate,
      connections: 16,
      size: payload + 68
    )
    try await traffic(workload, scale.rate)
    let run = FaultRun(cluster: cluster, fleet: fleet, workload: workload)
    let clock = CatchUpClock(fleet, workload.ledger)
    let outcome: Result<Void, any Error>
    do {
      try await fault(run)
      try await traffic(workload, scale.rate)
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    let catchUp = try await clock.stop()
    try await workload.finish()
    try await fleet.caughtUp(with: workload.ledger.tails)
    let journals = try await fleet.journals()
    try await fleet.stop()
    try outcome.get()
    let verdict = workload.ledger.verdict(on: journals)
    print("\(name): \(verdict)\n  caught up after: \(catchUp)")
    #expect(verdict.isClean, "\(name): \(verdict)")
    #expect(workload.ledger.failures == [], "\(name): publishes were given up")
    return Outcome(verdict: verdict, journals: journals)
  }

  /// Waits until two seconds' worth of publishes has been answered.
  private static func traffic(_ workload: Workload, _ rate: Int) async throws {
    let before = workload.ledger.count
    try await eventually("answers to publishes", within: .seconds(60), every: .milliseconds(50)) {
      workload.ledger.count >= before + rate * 2
    }
  }
}
