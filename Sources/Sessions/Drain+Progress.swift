private import NIOCore

extension Drain {
  /// How far a drain is.
  public struct Progress: Sendable, Equatable {
    /// Sessions still here.
    public var remaining: Int
    /// The pace at which sessions are sent away at the moment.
    public var perSecond: Double
    /// Until the last goodbye, as planned; after it, until what is left is closed.
    public var secondsLeft: Int
    /// Sessions that had to be closed.
    public var forced: Int

    public init(remaining: Int, perSecond: Double, secondsLeft: Int, forced: Int) {
      self.remaining = remaining
      self.perSecond = perSecond
      self.secondsLeft = secondsLeft
      self.forced = forced
    }
  }

  /// Of the drain that is under way, or of the one that ended in `drained`.
  public var progress: Progress? {
    switch phase {
    case .starting, .ready, .stopped: nil
    case .settling(let plan, let until): progress(left: until - now + plan.window)
    case .sendingAway(_, let pace): progress(left: pace.end - now, perSecond: pace.perSecond)
    case .waiting(_, let until): progress(left: until - now)
    case .closing, .drained, .leaving: progress(left: .zero)
    }
  }

  /// Whether the drain takes longer than planned, because the other nodes cannot take its pace.
  public var isStretched: Bool {
    if case .sendingAway(_, let pace) = phase { pace.isStretched } else { false }
  }

  private func progress(left: TimeAmount, perSecond: Double = 0) -> Progress {
    Progress(
      remaining: remaining,
      perSecond: perSecond,
      secondsLeft: max(0, Int((left.nanoseconds + 999_999_999) / 1_000_000_000)),
      forced: forced
    )
  }
}
