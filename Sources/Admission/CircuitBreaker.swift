public import NIOCore

/// Keeps callers from a service that does not do its work, and finds out when it does again. Pure: time and chance
/// come from outside.
///
/// Closed, everything passes. It opens after some failures in a row, or when half of the last calls failed. Open,
/// nothing passes for a pause. Then, half-open, one call passes as a trial: its success closes, its failure opens
/// again, for a pause twice as long.
public struct CircuitBreaker: Sendable {
  public struct Settings: Sendable, Equatable {
    /// How many failures in a row open it; also how many results are the fewest of which half may not fail.
    public var failures = 5
    /// The first pause. It doubles with each failed trial; half of it is chance.
    public var pause: TimeAmount = .milliseconds(500)
    public var longestPause: TimeAmount = .seconds(5)
    /// How long a trial may go without a result, until another one takes its place.
    public var trial: TimeAmount = .seconds(10)

    public init() {}
  }

  public enum State: String, Sendable, CaseIterable {
    case closed
    case open
    case halfOpen = "half-open"
  }

  /// Lets one call pass. It is given back with the call's result; one from before the last change of state says
  /// nothing of the present one.
  public struct Pass: Sendable, Equatable {
    fileprivate let era: UInt32
  }

  public enum Answer: Sendable, Equatable {
    case pass(Pass)
    /// Nothing passes now; a call after so long may.
    case refused(retryIn: TimeAmount)
  }

  public private(set) var state = State.closed
  /// How often it has opened from closed.
  public private(set) var trips = 0
  /// When a trial may begin, while open; when the present one has taken too long, while half-open.
  private var next = NIODeadline.uptimeNanoseconds(0)
  private var settings: Settings
  /// Counts the changes of state.
  private var era: UInt32 = 0
  /// The last results, the newest in the lowest bit: 1 is a failure.
  private var results: UInt32 = 0
  private var count = 0
  /// Failures since it was closed last, beginning with the one that opened it.
  private var attempts = 0

  public init(_ settings: Settings = Settings()) {
    self.settings = settings
  }

  /// When the next call may pass; nil while closed.
  public var nextTrial: NIODeadline? { state == .closed ? nil : next }

  /// Asks whether a call may pass.
  public mutating func knock(now: NIODeadline) -> Answer {
    switch state {
    case .closed: return .pass(Pass(era: era))
    case .open, .halfOpen:
      guard now >= next else { return .refused(retryIn: next - now) }
      change(to: .halfOpen)
      next = now + settings.trial
      return .pass(Pass(era: era))
    }
  }

  /// The call was served, be it with a refusal that is the caller's own fault.
  public mutating func succeeded(_ pass: Pass) {
    guard pass.era == era else { return }
    if state == .closed { note(failed: false) } else { close() }
  }

  /// The call was not served. `chance` is from 0 to 1.
  public mutating func failed(_ pass: Pass, now: NIODeadline, chance: Double = .random(in: 0..<1)) {
    guard pass.era == era else { return }
    switch state {
    case .closed:
      note(failed: true)
      guard isTooMuch else { return }
      trips += 1
      open(now: now, chance: chance)
    case .halfOpen: open(now: now, chance: chance)
    case .open: break
    }
  }

  /// The service is known to work, from elsewhere.
  public mutating func close() {
    change(to: .closed)
    (results, count, attempts) = (0, 0, 0)
  }

  private mutating func open(now: NIODeadline, chance: Double) {
    let doubled = settings.pause.nanoseconds.multipliedReportingOverflow(by: 1 << min(attempts, 30))
    let full = doubled.overflow ? Int64.max : doubled.partialValue
    let pause = min(full, max(settings.pause, settings.longestPause).nanoseconds)
    attempts += 1
    change(to: .open)
    next = now + .nanoseconds(pause / 2 + Int64(Double(pause / 2) * chance))
  }

  private mutating func change(to new: State) {
    state = new
    era &+= 1
  }

  private mutating func note(failed: Bool) {
    results = results << 1 | (failed ? 1 : 0)
    count = min(count + 1, UInt32.bitWidth)
  }

  private var isTooMuch: Bool {
    guard count >= settings.failures else { return false }
    return (~results).trailingZeroBitCount >= settings.failures || results.nonzeroBitCount * 2 >= count
  }
}
