import NIOCore
import NIOHTTP1
import SluiceClient

extension LoadStage {
  /// Traffic before the first restart and after each.
  private static let pauseBetween = TimeAmount.seconds(2)

  /// Replaces or drains the nodes under load, round after round, and holds what came of it against the promises.
  func roll() async throws {
    let probe = ConnectProbe(plan.targets[0])
    let deadline = NIODeadline.now() + plan.duration
    try await pause(LoadStage.pauseBetween)
    for round in 1...plan.rounds where !control.isEnding {
      await reporter.mark(.phase, "round \(round) of \(plan.rounds)")
      let start = NIODeadline.now()
      let isDone =
        if let command = plan.command {
          try await run(command, until: deadline)
        } else {
          try await drainEach(until: deadline)
        }
      guard isDone, !control.isEnding else { break }
      let isWhole = try await wait(deadline - .now(), every: .milliseconds(50)) {
        try await fleet.count(where: \.isReady) == fleet.count
      }
      if !isWhole, !control.isEnding { fail("not all clients were back after round \(round)") }
      figure("round \(round) took", LoadPlan.words(.now() - start))
      try await pause(LoadStage.pauseBetween)
    }
    connectCost = probe.stop()
    figure("p99 of other connects meanwhile", "\(connectCost) ms")
  }

  /// False when it failed, which is noted.
  private func run(_ command: String, until deadline: NIODeadline) async throws -> Bool {
    let shell: ShellCommand
    do {
      shell = try ShellCommand(command)
    } catch {
      fail("the command was not started: \(error)")
      return false
    }
    let reporter = reporter
    let isOver = try await wait(deadline - .now(), every: .milliseconds(50)) {
      for line in shell.takeLines() where !line.isEmpty { await reporter.phase(line) }
      return shell.exitStatus != nil
    }
    for line in shell.takeLines() where !line.isEmpty { await reporter.phase(line) }
    guard isOver, let status = shell.exitStatus else {
      shell.terminate()
      if !control.isEnding { fail("the command had not ended in time") }
      return false
    }
    if status != 0 { fail("the command exited with \(status)") }
    return status == 0
  }

  private func drainEach(until deadline: NIODeadline) async throws -> Bool {
    guard let views = await NodeWatch.nodes(plan.operators), !views.isEmpty else {
      fail("no operator listener names the nodes")
      return false
    }
    let ready = views.filter { $0.state == "ready" }.map(\.node).sorted()
    guard ready.count > 1 else {
      fail("there are \(ready.count) ready nodes: a drain needs somewhere to send its clients")
      return false
    }
    for node in ready where !control.isEnding {
      guard try await drain(node, until: deadline) else { return false }
      try await pause(LoadStage.pauseBetween)
    }
    return true
  }

  /// Drains a node, and takes it back.
  private func drain(_ node: String, until deadline: NIODeadline) async throws -> Bool {
    let path = "/v1/nodes/\(node)/drain"
    let body = plan.drainWindow.map { "{\"over_seconds\":\(Double($0.nanoseconds) / 1_000_000_000)}" }
    guard await ask(.POST, path, body) else {
      fail("\(node) could not be drained")
      return false
    }
    await look()
    guard try await see(node, "drained", until: deadline) else { return false }
    guard await ask(.DELETE, path) else {
      fail("the drain of \(node) could not be called off")
      return false
    }
    return try await see(node, "ready", until: deadline)
  }

  /// Asks whichever listener answers.
  private func ask(_ method: HTTPMethod, _ path: String, _ body: String? = nil) async -> Bool {
    for place in plan.operators {
      if let answer = try? await place.send(method, path, body: body),
        (200..<300).contains(answer.status.code)
      {
        return true
      }
    }
    return false
  }

  private func see(_ node: String, _ state: String, until deadline: NIODeadline) async throws -> Bool {
    let operators = plan.operators
    let isSo = try await wait(deadline - .now(), every: .milliseconds(200)) {
      await NodeWatch.nodes(operators)?.contains { $0.node == node && $0.state == state } == true
    }
    await look()
    if !isSo, !control.isEnding { fail("\(node) was not \(state) in time") }
    return isSo
  }

  /// Marks what has changed, before it changes again.
  private func look() async {
    let reporter = reporter
    for change in await nodes.look({ await reporter.now }) { await reporter.mark(change.kind, change.text) }
  }

  // MARK: promises

  /// What nobody may notice.
  func judgeRestarts(_ times: ConnectionTimes, planned: Double?) async {
    let forced = max(times.forced, await nodes.forcedCount)
    figure("sessions closed by force", "\(forced)")
    let leaves = watchers.reduce(into: Set<Seat>()) { $0.formUnion($1.leaves) }
    figure("members heard to leave", "\(leaves.count)")
    guard !plan.isUnplanned else { return }
    if forced > 0 { fail("\(forced) sessions were closed by force") }
    if !leaves.isEmpty { fail("\(leaves.count) of \(cast.members.count) members were heard to leave") }
    for (transport, time) in times.without.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
      let name = TransportShares.name(of: transport)
      if transport == .webSocket {
        if time.max >= 1_000 {
          fail("a \(name) client was without a connection for \(LoadStage.milliseconds(time.max))")
        }
      } else if time.percentile(99) >= (500 + connectCost) * 1_000 {
        fail(
          "\(name) clients were without a connection for \(LoadStage.milliseconds(time.percentile(99))) at p99"
        )
      }
    }
    guard let planned, planned > 0 else { return }
    // Of few clients, chance alone may bring more than three times as many at once.
    let most = max(3 * planned, planned + 6 * planned.squareRoot())
    for peak in times.peaks where Double(peak.count) > most {
      fail(
        """
        \(peak.count) connections came to \(peak.node) within 100 ms, where \
        \(LoadPlan.words((planned * 10).rounded() / 10)) were planned
        """
      )
    }
  }
}
