import NIOCore
import SluiceClient
import Wire

extension Fleet {
  /// Somebody who is on the way back.
  struct Return {
    var readyAt: NIODeadline?
    /// What stood at the ends of the logs when it was ready.
    var owed: [ChannelName: Cursor] = [:]
  }

  /// From now on it is watched how everyone comes back, or catches up.
  /// - Parameter isReady: they are connected, and only lag.
  func expectReturns(
    isReady: Bool = false,
    where choose: @escaping @Sendable (ResilientSubscriber) -> Bool = { _ in true },
    owing tails: [ChannelName: Cursor] = [:]
  ) async throws {
    for squad in squads {
      try await squad.use { squad in
        for index in squad.members.indices where choose(squad.members[index]) {
          squad.returning[index] = isReady ? Return(readyAt: .now(), owed: tails) : Return()
        }
      }
    }
  }

  /// Times those who have come back and caught up since the last look, and answers how many have not: who is not
  /// ready yet, and who only lags.
  func lookForReturns(_ tails: [ChannelName: Cursor]) async throws -> (away: Int, lagging: Int) {
    var left = (away: 0, lagging: 0)
    for squad in squads {
      let counts = try await squad.use { squad -> (Int, Int) in
        var away = 0
        for (index, state) in squad.returning {
          let member = squad.members[index]
          guard member.isReady else {
            away += 1
            continue
          }
          var state = state
          if state.readyAt == nil { state = Return(readyAt: .now(), owed: tails) }
          if let ready = state.readyAt, !member.isBehind(state.owed) {
            squad.counters?.record(.catchUp, .now() - ready)
            squad.returning[index] = nil
          } else {
            squad.returning[index] = state
          }
        }
        return (away, squad.returning.count - away)
      }
      left.away += counts.0
      left.lagging += counts.1
    }
    return left
  }
}
