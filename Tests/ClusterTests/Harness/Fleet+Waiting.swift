import LoadTesting
import SluiceClient
import Testing
import Wire

extension Fleet {
  /// Waits until every channel of every one is subscribed.
  func ready(within limit: Duration = .seconds(60)) async throws {
    try await eventually("\(count) subscribers", within: limit, every: .milliseconds(50)) {
      try await count { $0.isReady } == count
    }
  }

  /// Waits until everyone has seen what was published last in each of its channels.
  func caughtUp(with tails: [ChannelName: Cursor], within limit: Duration = .seconds(60)) async throws {
    let deadline = ContinuousClock.now + limit
    var lagging = try await lagging(behind: tails)
    while lagging > 0, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
      lagging = try await self.lagging(behind: tails)
    }
    // Who lags is told by the verdict, with the evidence.
    if lagging > 0 { Issue.record("\(lagging) of \(count) subscribers have not caught up within \(limit)") }
  }
}

extension Workload {
  /// Publishes nothing more, and waits until everything is answered or given up.
  func finish(within limit: Duration = .seconds(70)) async throws {
    try await end()
    try await eventually("the last answers", within: limit, every: .milliseconds(20)) {
      try await unsettled == 0
    }
    try await close()
  }
}

extension PresenceWatcher {
  /// Subscribes, and waits for it.
  convenience init(of rooms: [ChannelName], at endpoint: Endpoint) async throws {
    try await self.init(SubscriberSettings(name: "watcher", endpoint: endpoint, channels: rooms))
    try await eventually("a watcher", holds: { try await self.isReady })
  }
}
