import NIOCore
import NIOPosix
import SluiceClient
import Testing
import Wire

/// Many subscribers at once.
final class Fleet: Sendable {
  /// Those that live on one loop.
  private final class Squad {
    var members: [ResilientSubscriber] = []
  }

  private let squads: [Confined<Squad>]
  let count: Int

  /// Connects them all, spread evenly over `period`.
  init(_ settings: [SubscriberSettings], over period: TimeAmount = .zero) async throws {
    var squads: [Confined<Squad>] = []
    for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
      squads.append(try await Confined(on: loop) { _ in Squad() })
    }
    count = settings.count
    self.squads = squads
    for (index, squad) in squads.enumerated() {
      let mine = settings.enumerated().filter { $0.offset % squads.count == index }
      let pause = TimeAmount.nanoseconds(period.nanoseconds / Int64(max(settings.count, 1)))
      let loop = squad.loop
      try await squad.use { squad in
        for (offset, settings) in mine {
          let subscriber = ResilientSubscriber(settings, on: loop)
          squad.members.append(subscriber)
          if period == .zero {
            subscriber.start()
          } else {
            loop.assumeIsolated().scheduleTask(in: .nanoseconds(pause.nanoseconds * Int64(offset))) {
              subscriber.start()
            }
          }
        }
      }
    }
  }

  /// Everyone's answer, in no particular order.
  func all<Answer: Sendable>(
    _ ask: @escaping @Sendable (ResilientSubscriber) -> Answer
  ) async throws -> [Answer] {
    var answers: [Answer] = []
    for squad in squads { answers += try await squad.use { $0.members.map(ask) } }
    return answers
  }

  func count(where condition: @escaping @Sendable (ResilientSubscriber) -> Bool) async throws -> Int {
    var count = 0
    for squad in squads { count += try await squad.use { $0.members.count(where: condition) } }
    return count
  }

  /// Waits until every channel of every one is subscribed.
  func ready(within limit: Duration = .seconds(60)) async throws {
    try await eventually("\(count) subscribers", within: limit, every: .milliseconds(50)) {
      try await count { $0.isReady } == count
    }
  }

  /// Waits until everyone has seen what was published last in each of its channels.
  func caughtUp(with tails: [ChannelName: Cursor], within limit: Duration = .seconds(60)) async throws {
    var lagging = count
    let deadline = ContinuousClock.now + limit
    while lagging > 0, ContinuousClock.now < deadline {
      lagging = try await count { subscriber in
        for index in subscriber.settings.channels.indices {
          guard let tail = tails[subscriber.settings.channels[index]] else { continue }
          guard let position = subscriber.position(at: index), position.epoch == tail.epoch,
            position.offset >= tail.offset
          else { return true }
        }
        return false
      }
      if lagging > 0 { try await Task.sleep(for: .milliseconds(50)) }
    }
    // Who lags is told by the verdict, with the evidence.
    if lagging > 0 { Issue.record("\(lagging) of \(count) subscribers have not caught up within \(limit)") }
  }

  func journals() async throws -> [DeliveryJournal] {
    try await all { $0.journal }
  }

  /// Changes the pace of those that have one.
  func setReadRate(_ bytesPerSecond: Int?) async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members where member.settings.endpoint.readRate != nil {
          member.setReadRate(bytesPerSecond)
        }
      }
    }
  }

  /// Subscribes those that were held back.
  func release() async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members { member.release() }
      }
    }
  }

  /// Cuts every `share`th, each about once in `period`, for so long.
  func cutAtRandom(share: Int, period: Duration, for time: Duration) async throws {
    let start = ContinuousClock.now
    var last = start
    while last - start < time {
      try await Task.sleep(for: .milliseconds(50))
      let now = ContinuousClock.now
      let chance = (now - last) / period
      last = now
      for squad in squads {
        try await squad.use { squad in
          for index in stride(from: 0, to: squad.members.count, by: share) where .random(in: 0..<1) < chance {
            squad.members[index].cut()
          }
        }
      }
    }
  }

  func stop() async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members { member.stop() }
      }
    }
  }
}
