import NIOCore
public import SluiceClient
import Wire

extension Fleet {
  /// Changes the pace of those that have one.
  public func setReadRate(_ bytesPerSecond: Int?) async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members where member.settings.endpoint.readRate != nil {
          member.setReadRate(bytesPerSecond)
        }
      }
    }
  }

  /// Subscribes those that were held back.
  public func release() async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members { member.release() }
      }
    }
  }

  /// Cuts each that `choose` names; they come back by themselves.
  public func cut(where choose: @escaping @Sendable (ResilientSubscriber) -> Bool = { _ in true })
    async throws
  {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members where choose(member) { member.cut() }
      }
    }
  }

  /// Cuts so many, chosen by chance.
  func cut(_ count: Int, using random: inout SeededRandom) async throws {
    for _ in 0..<count {
      let squad = squads[Int.random(in: squads.indices, using: &random)]
      let pick = random.next()
      squad.use(soon: { squad in
        guard !squad.members.isEmpty else { return }
        squad.members[Int(pick % UInt64(squad.members.count))].cut()
      })
    }
  }

  /// Cuts every `share`th, each about once in `period`, for so long.
  public func cutAtRandom(share: Int, period: Duration, for time: Duration) async throws {
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

  /// Everyone goes away and stays away until `comeBack`.
  func goAway() async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members {
          member.pause()
          member.cut()
        }
      }
    }
  }

  func comeBack() async throws {
    for squad in squads {
      try await squad.use { squad in
        for member in squad.members { member.resume() }
      }
    }
  }

  /// So many leave for good, and as many others come with the same wishes.
  func renew(_ count: Int, using random: inout SeededRandom) async throws {
    for squad in squads {
      let share =
        count / squads.count
        + (Int.random(in: 0..<squads.count, using: &random) < count % squads.count ? 1 : 0)
      let seed = random.next()
      let loop = squad.loop
      try await squad.use { squad in
        var random = SeededRandom(seed)
        for _ in 0..<min(share, squad.members.count) {
          let index = Int.random(in: squad.members.indices, using: &random)
          let old = squad.members[index]
          old.stop()
          squad.retired.append(old.journal)
          squad.members[index] = squad.enlist(old.settings, on: loop)
          squad.members[index].start()
        }
      }
    }
  }

  /// What was seen in the logs, where witnesses keep it.
  func seen() async throws -> [(channel: ChannelName, seen: ChannelWitness.Seen)] {
    var all: [(channel: ChannelName, seen: ChannelWitness.Seen)] = []
    for squad in squads {
      all += try await squad.use { squad in
        var seen: [(channel: ChannelName, seen: ChannelWitness.Seen)] = []
        for (channel, witness) in squad.witnesses { seen += witness.seen.map { (channel, $0) } }
        for (channel, witness) in squad.slowWitnesses { seen += witness.seen.map { (channel, $0) } }
        return seen
      }
    }
    return all
  }
}
