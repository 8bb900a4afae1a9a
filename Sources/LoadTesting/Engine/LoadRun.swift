import NIOCore
import SluiceClient
import Wire

/// A load test from its first connection to its verdict.
public enum LoadRun {
  /// Why there is no result at all.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// Within which everyone must be connected, beside the time that the dials take.
  private static let connectTime = TimeAmount.seconds(60)
  /// After so long without one connection there is nobody to talk to.
  private static let firstConnection = TimeAmount.seconds(10)

  /// Plays a plan, or with others a part of it.
  /// - Returns: also where the servers failed: see ``LoadResult/isGood``.
  /// - Throws: ``Failure`` when the plan has mistakes, or when no client could connect.
  public static func run(
    _ plan: LoadPlan,
    observer: any LoadObserver,
    control: LoadControl = LoadControl(),
    company: (any LoadCompany)? = nil
  ) async throws -> LoadResult {
    let stripe = company?.stripe ?? .whole
    if let mistake = (plan.mistakes() + [plan.limitMistake(stripe)].compactMap(\.self)).first {
      throw Failure(description: mistake)
    }
    let stage = try await LoadStage(plan, observer, control, company)
    stage.beginSampling()
    do {
      try await stage.connect(within: connectTime, first: firstConnection)
      try await stage.begin()
      let result = try await stage.play()
      try await stage.leave()
      return result
    } catch {
      try? await stage.endSampling()
      try? await stage.leave()
      throw error
    }
  }
}

extension LoadStage {
  fileprivate func connect(within limit: TimeAmount, first: TimeAmount) async throws {
    let count = fleet.count
    let start = NIODeadline.now()
    let isWhole = try await wait(plan.ramp + limit, every: .milliseconds(50)) {
      let ready = try await fleet.count(where: \.isReady)
      if ready == 0, .now() - start > first { try await giveUpIfNobodyConnects() }
      return ready == count
    }
    if !isWhole, !control.isEnding {
      let ready = try await fleet.count(where: \.isReady)
      fail("\(count - ready) of \(count) clients were not connected in time: \(try await whyNot())")
    }
    if !cast.watchers.isEmpty { try await seat() }
    try await company?.gather(.connected)
    connectedAt = .now()
    let ready = try await fleet.count(where: \.isReady)
    await reporter.mark(.phase, company == nil ? "\(ready) connected" : "all connected")
  }

  private func giveUpIfNobodyConnects() async throws {
    guard await reporter.totals.connects == 0, await reporter.totals.connectFailures > 0 else { return }
    throw LoadRun.Failure(description: "no client could connect: \(try await whyNot())")
  }

  /// What the connections that failed say.
  private func whyNot() async throws -> String {
    let reasons = try await fleet.all { member in
      member.isReady ? nil : member.givenUp ?? member.journal.connections.last { $0.end != nil }?.end
    }
    var counts: [String: Int] = [:]
    for reason in reasons.compactMap(\.self) { counts[reason, default: 0] += 1 }
    return counts.max { $0.value < $1.value }?.key ?? "no answer yet"
  }

  private func seat() async throws {
    await reporter.phase("seating \(cast.members.count) members and \(cast.watchers.count) watchers")
    let members = try await Fleet(cast.members, over: .milliseconds(Int64(cast.members.count) * 2))
    self.members = members
    let isReady = try await wait(.seconds(60)) {
      for watcher in watchers where try await !watcher.isReady { return false }
      return try await members.count(where: \.isReady) == members.count
    }
    if !isReady, !control.isEnding { fail("not all members and watchers were connected in time") }
  }

  /// Traffic, and after the warm-up the measuring.
  fileprivate func begin() async throws {
    if plan.publishes, !control.isEnding {
      workload = try await Workload(plan, cast.published, counting: records, stripe: stripe)
      await reporter.phase("publishing, \(LoadPlan.words(plan.warmUp)) to warm up")
      try await pause(plan.warmUp)
    }
    try await company?.gather(.warm)
    let expected = plan.scenario == .rolling ? nil : Double(plan.duration.nanoseconds) / 1_000_000_000
    let shift = await reporter.begin(expected: expected)
    await nodes.shift(by: shift)
    try await measure(true)
    await reporter.mark(.phase, "measuring begins")
  }

  /// Lets everyone go.
  fileprivate func leave() async throws {
    try await workload?.close()
    for watcher in watchers { watcher.stop() }
    try await members?.stop()
    try await fleet.stop()
  }
}
