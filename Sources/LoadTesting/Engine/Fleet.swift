public import NIOCore
import NIOPosix
public import SluiceClient
public import Wire

/// Many subscribers at once, spread over the event loops.
public final class Fleet: Sendable {
  /// Those that live on one loop.
  final class Squad {
    var members: [ResilientSubscriber] = []
    /// What those received who have left for others.
    var retired: [DeliveryJournal] = []
    /// Of clients that are timed, and of those that are slow on purpose.
    var witnesses: [ChannelName: ChannelWitness] = [:]
    var slowWitnesses: [ChannelName: ChannelWitness] = [:]
    /// Those who are on their way back, by their place, and what they owe when they are ready.
    var returning: [Int: Return] = [:]
    let counters: LoadCounters?

    init(_ counters: LoadCounters?) { self.counters = counters }
  }

  let squads: [Confined<Squad>]
  public let count: Int

  /// Connects them all, spread evenly over `period`.
  public convenience init(_ settings: [SubscriberSettings], over period: TimeAmount = .zero) async throws {
    try await self.init(settings, over: period, counting: nil)
  }

  /// - Parameter records: of each loop of the singleton group. With them, what is received is timed, and what a
  ///   payload was is kept once for each loop.
  init(
    _ settings: [SubscriberSettings],
    over period: TimeAmount,
    counting records: [Confined<LoadCounters>]?
  ) async throws {
    var squads: [Confined<Squad>] = []
    for (index, loop) in MultiThreadedEventLoopGroup.singleton.makeIterator().enumerated() {
      let record = records?[index]
      squads.append(try await Confined(on: loop) { _ in Squad(record?.here) })
    }
    count = settings.count
    self.squads = squads
    let pause = period.nanoseconds / Int64(max(settings.count, 1))
    for (index, squad) in squads.enumerated() {
      let mine = settings.enumerated().filter { $0.offset % squads.count == index }
      let loop = squad.loop
      try await squad.use { squad in
        for (offset, settings) in mine {
          let subscriber = squad.enlist(settings, on: loop)
          squad.members.append(subscriber)
          if period == .zero {
            subscriber.start()
          } else {
            loop.assumeIsolated().scheduleTask(in: .nanoseconds(pause * Int64(offset))) { subscriber.start() }
          }
        }
      }
    }
  }

  /// Everyone's answer, in no particular order.
  public func all<Answer: Sendable>(
    _ ask: @escaping @Sendable (ResilientSubscriber) -> Answer
  ) async throws -> [Answer] {
    var answers: [Answer] = []
    for squad in squads { answers += try await squad.use { $0.members.map(ask) } }
    return answers
  }

  public func count(where condition: @escaping @Sendable (ResilientSubscriber) -> Bool) async throws -> Int {
    var count = 0
    for squad in squads { count += try await squad.use { $0.members.count(where: condition) } }
    return count
  }

  /// How many have not yet seen what was published last in one of their channels.
  public func lagging(behind tails: [ChannelName: Cursor]) async throws -> Int {
    try await count { $0.isBehind(tails) }
  }

  /// What everyone received, those included who have left.
  public func journals() async throws -> [DeliveryJournal] {
    var journals: [DeliveryJournal] = []
    for squad in squads { journals += try await squad.use { $0.retired + $0.members.map(\.journal) } }
    return journals
  }

  public func stop() async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members { member.stop() }
      }
    }
  }
}

@available(*, unavailable)
extension Fleet.Squad: Sendable {}

extension ResilientSubscriber {
  /// Whether it has not yet seen what stands at these ends of its channels.
  public func isBehind(_ tails: [ChannelName: Cursor]) -> Bool {
    for index in settings.channels.indices {
      guard let tail = tails[settings.channels[index]] else { continue }
      guard let position = position(at: index), position.epoch == tail.epoch, position.offset >= tail.offset
      else { return true }
    }
    return false
  }
}

extension Fleet.Squad {
  /// A subscriber whose doings are counted, where anything is.
  func enlist(_ settings: SubscriberSettings, on loop: any EventLoop) -> ResilientSubscriber {
    let subscriber = ResilientSubscriber(settings, on: loop)
    guard let counters else { return subscriber }
    let isSlow = settings.endpoint.readRate != nil
    for (index, channel) in settings.channels.enumerated() {
      subscriber.setWitness(witness(of: channel, isSlow: isSlow, counters), at: index)
    }
    var wasReady = false
    subscriber.onReady = { connection in
      guard let ready = connection.readyAt else { return }
      counters.connected(after: ready - connection.dialedAt, isFirst: !wasReady)
      wasReady = true
    }
    subscriber.onEnd = { connection in
      guard !connection.wasLetGo else { return }
      if connection.readyAt == nil {
        counters.failedToConnect()
      } else if connection.sentAwayAt == nil {
        counters.dropped()
      }
    }
    return subscriber
  }

  private func witness(of channel: ChannelName, isSlow: Bool, _ counters: LoadCounters) -> ChannelWitness {
    if let known = isSlow ? slowWitnesses[channel] : witnesses[channel] { return known }
    let witness = ChannelWitness(counters, isTimed: !isSlow)
    if isSlow { slowWitnesses[channel] = witness } else { witnesses[channel] = witness }
    return witness
  }
}
