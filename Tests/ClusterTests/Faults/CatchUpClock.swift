import LoadTesting
import NIOConcurrencyHelpers
import NIOCore
import SluiceClient
import Wire

/// Measures how long after a fault the last subscriber still lagged: whoever has not seen what was acknowledged
/// one look earlier.
final class CatchUpClock: Sendable {
  private static let period = Duration.milliseconds(250)

  private let start = ContinuousClock.now
  private let laggedUntil = NIOLockedValueBox<[String: Duration]>([:])
  private let watch: NIOLockedValueBox<Task<Void, any Error>?> = .init(nil)
  private let fleet: Fleet

  /// How long subscribers lagged.
  struct Times: CustomStringConvertible {
    let p50: Duration
    let p99: Duration
    let longest: Duration

    var description: String {
      let text = { (duration: Duration) in
        "\(duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000) ms"
      }
      return "p50 \(text(p50)), p99 \(text(p99)), at the latest \(text(longest))"
    }
  }

  init(_ fleet: Fleet, _ ledger: Ledger) {
    self.fleet = fleet
    let task = Task { [laggedUntil, start] in
      var tails = ledger.tails
      while !Task.isCancelled {
        try await Task.sleep(for: CatchUpClock.period)
        let owed = tails
        tails = ledger.tails
        let lagging = try await fleet.all { subscriber in
          let isBehind = subscriber.settings.channels.indices.contains { index in
            guard let tail = owed[subscriber.settings.channels[index]] else { return false }
            guard let position = subscriber.position(at: index) else { return true }
            return position.epoch != tail.epoch || position.offset < tail.offset
          }
          return isBehind || !subscriber.isReady ? subscriber.settings.name : nil
        }
        let now = ContinuousClock.now - start
        laggedUntil.withLockedValue { times in
          for name in lagging.compactMap(\.self) { times[name] = now }
        }
      }
    }
    watch.withLockedValue { $0 = task }
  }

  func stop() async throws -> Times {
    let task = watch.withLockedValue { $0 }
    task?.cancel()
    _ = await task?.result
    let lagged = laggedUntil.withLockedValue { Array($0.values) }
    let times = (lagged + Array(repeating: .zero, count: max(0, fleet.count - lagged.count))).sorted()
    let at = { (share: Double) in times[min(times.count - 1, Int(Double(times.count) * share))] }
    return Times(p50: at(0.5), p99: at(0.99), longest: times.last ?? .zero)
  }
}
