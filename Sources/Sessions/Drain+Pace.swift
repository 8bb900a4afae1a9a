internal import NIOCore

extension Drain {
  /// A steady way from however many are untold to none at `end`.
  struct Pace: Sendable, Equatable {
    /// When the last session is told.
    var end: NIODeadline
    /// What `end` is never stretched beyond.
    var latest: NIODeadline
    private var last: NIODeadline
    /// How far the sessions told are behind the plan: at least 0, less than 1.
    private var owed = 1.0
    private(set) var perSecond = 0.0

    init(from start: NIODeadline, window: TimeAmount) {
      last = start
      end = start + window
      latest = start + window * Drain.mostStretch
    }

    /// How many of the untold to tell now. The first goes at once; sessions that left by themselves slow the
    /// pace, they do not shorten the window.
    mutating func due(of untold: Int, now: NIODeadline, acceptable: Double?) -> Int {
      let now = max(now, last)
      defer { last = now }
      let planned = max(0, Double(untold) - owed)
      if let acceptable {
        if acceptable <= 0, now < latest {
          end = min(latest, end + (now - last))
          perSecond = 0
          return 0
        }
        stretch(for: planned, acceptable: acceptable)
      }
      guard now < end else {
        perSecond = 0
        owed = 0
        return untold
      }
      let left = seconds(end - last)
      perSecond = planned / left
      let target = planned * (seconds(end - now) / left)
      let count = min(untold, max(0, untold - Int(target.rounded(.up))))
      owed = Double(untold - count) - target
      return count
    }

    /// Moves `end` so that the rate is what the others can take.
    private mutating func stretch(for planned: Double, acceptable: Double) {
      let needed = min(planned / acceptable, seconds(latest - last))
      end = min(latest, max(end, last + .nanoseconds(Int64(max(0, needed) * 1e9))))
    }

    private func seconds(_ amount: TimeAmount) -> Double {
      Double(amount.nanoseconds) / 1e9
    }
  }
}
