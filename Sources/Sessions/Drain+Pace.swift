internal import NIOCore

extension Drain {
  /// A steady way from however many are untold to none at `end`.
  struct Pace: Sendable, Equatable {
    /// A pace that had to wait for the others makes up for it at no more than this many times the planned one.
    static let mostHaste = 2.0
    /// So much of the time between two looks counts. More is a process that stood still: what was not done then is not
    /// made up for at once.
    static let longestStep = Drain.tick * 5
    /// So much standing still in all puts off the latest end.
    static let mostPause = TimeAmount.minutes(1)

    /// When the last session is told, as things stand: as planned, or later while the others cannot take that.
    private(set) var end: NIODeadline
    private(set) var perSecond = 0.0
    /// When the last session is to be told, if nothing is in the way.
    private var planned: NIODeadline
    /// What `end` is never stretched beyond.
    private var latest: NIODeadline
    /// Of the time in which the process stood still, what can still put off `latest`.
    private var pauseLeft = Pace.mostPause
    /// The fastest pace; nil until the first are due.
    private var fastest: Double?
    private var last: NIODeadline
    /// How far the sessions told are behind the plan: at least 0, less than 1.
    private var owed = 1.0

    init(from start: NIODeadline, window: TimeAmount) {
      last = start
      end = start + window
      planned = end
      latest = start + window * Drain.mostStretch
    }

    /// Whether the others cannot take the planned pace.
    var isStretched: Bool { end > planned }

    /// Another window, from now on.
    mutating func restart(from now: NIODeadline, window: TimeAmount) {
      last = max(last, now)
      planned = now + window
      end = planned
      latest = now + window * Drain.mostStretch
      fastest = nil
    }

    /// Ends within `window` of now, where that is sooner.
    mutating func hasten(from now: NIODeadline, window: TimeAmount) {
      guard now + window < planned else { return }
      let latest = min(latest, now + window * Drain.mostStretch)
      restart(from: now, window: window)
      self.latest = latest
    }

    /// How many of the untold to tell now. The first goes at once; sessions that left by themselves slow the
    /// pace, they do not shorten the window.
    mutating func due(of untold: Int, now: NIODeadline, acceptable: Double?) -> Int {
      let now = max(now, last)
      let pause = now - last - Pace.longestStep
      if pause > .zero { stoodStill(pause) }
      defer { last = now }
      let remaining = max(0, Double(untold) - owed)
      if let acceptable, acceptable <= 0, now < latest {
        planned = min(latest, planned + (now - last))
        end = max(end, planned)
        perSecond = 0
        return 0
      }
      stretch(for: remaining, acceptable: acceptable)
      guard now < end else {
        perSecond = 0
        owed = 0
        return untold
      }
      let left = seconds(end - last)
      perSecond = remaining / left
      let target = remaining * (seconds(end - now) / left)
      let count = min(untold, max(0, untold - Int(target.rounded(.up))))
      owed = Double(untold - count) - target
      return count
    }

    /// The plan goes on from where it was, up to the latest end.
    private mutating func stoodStill(_ pause: TimeAmount) {
      let granted = min(pause, pauseLeft)
      pauseLeft = pauseLeft - granted
      last = last + pause
      latest = latest + granted
      planned = min(latest, planned + pause)
    }

    /// Moves `end` so that the rate is what the others can take, and no storm when they can take more again.
    private mutating func stretch(for remaining: Double, acceptable: Double?) {
      let window = seconds(planned - last)
      if fastest == nil, remaining > 0, window > 0 { fastest = remaining / window * Pace.mostHaste }
      let rate = min(acceptable ?? .infinity, fastest ?? .infinity)
      let needed = remaining > 0 ? min(remaining / rate, max(0, seconds(latest - last))) : 0
      end = min(latest, max(planned, last + .nanoseconds(Int64(needed * 1e9))))
    }

    private func seconds(_ amount: TimeAmount) -> Double {
      Double(amount.nanoseconds) / 1e9
    }
  }
}
