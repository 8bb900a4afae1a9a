private import NIOCore

extension Drain {
  /// How far a drain is.
  public struct Progress: Sendable, Equatable {
    /// What a drain waits for.
    public enum Step: String, Sendable, CaseIterable {
      /// Load balancers are to notice; nobody is told yet.
      case settling
      case sendingAway = "sending_away"
      /// Everyone was told, and is on the way.
      case leaving
      /// Some stay longer than it takes to leave; they will be closed.
      case overdue
      /// Nobody is here; their presence is kept a while for those who come back elsewhere.
      case lingering
    }

    /// Sessions still here.
    public var remaining: Int
    /// The pace at which sessions are sent away at the moment.
    public var perSecond: Double
    /// Until the drain is expected to be over; when some are overdue, until they are closed.
    public var secondsLeft: Int
    /// Sessions that had to be closed.
    public var forced: Int
    /// Nil when the drain is over, or that is not known.
    public var step: Step?

    public init(remaining: Int, perSecond: Double, secondsLeft: Int, forced: Int, step: Step? = nil) {
      self.remaining = remaining
      self.perSecond = perSecond
      self.secondsLeft = secondsLeft
      self.forced = forced
      self.step = step
    }
  }

  /// How long it takes to leave after a goodbye: the longest delay, and the grace.
  private static let departure = longestDelay + grace

  /// Of the drain that is under way, or of the one that ended in `drained`.
  public var progress: Progress? {
    switch phase {
    case .starting, .ready, .stopped: nil
    case .settling(let plan, let until):
      progress(.settling, left: until - now + (remaining > 0 ? plan.window + Drain.departure : .zero))
    case .sendingAway(_, let pace):
      progress(.sendingAway, left: pace.end - now + Drain.departure, perSecond: pace.perSecond)
    case .waiting(_, let until):
      waiting(until: until)
    case .closing, .drained, .leaving: progress(nil, left: .zero)
    }
  }

  /// Whether the drain takes longer than planned, because the other nodes cannot take its pace.
  public var isStretched: Bool {
    if case .sendingAway(_, let pace) = phase { pace.isStretched } else { false }
  }

  /// - Parameter until: when whoever is here then is closed.
  private func waiting(until: NIODeadline) -> Progress {
    let usual = until - Drain.patience + Drain.departure
    if remaining == 0 { return progress(.lingering, left: (emptySince ?? now) + Drain.grace - now) }
    return now < usual ? progress(.leaving, left: usual - now) : progress(.overdue, left: until - now)
  }

  private func progress(_ step: Progress.Step?, left: TimeAmount, perSecond: Double = 0) -> Progress {
    Progress(
      remaining: remaining,
      perSecond: perSecond,
      secondsLeft: max(0, Int((left.nanoseconds + 999_999_999) / 1_000_000_000)),
      forced: forced,
      step: step
    )
  }
}
