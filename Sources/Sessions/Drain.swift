public import NIOCore

/// The life of a node as its sessions see it: when it takes new ones, and when and how many it sends away.
///
/// Knows neither clock nor sessions: its owner tells it what happened and performs the action that is returned.
/// While `needsTicks`, the owner calls `ticked` every `tick`.
public struct Drain: Sendable {
  /// How often the owner calls `ticked`.
  public static let tick = TimeAmount.milliseconds(100)
  /// How long after its goodbye a session may stay: the longest delay of a goodbye (2 s), then the 10 s after
  /// which the node closes the connection.
  public static let patience = TimeAmount.seconds(12)
  /// The longest delay of a goodbye.
  static let longestDelay = TimeAmount.seconds(2)
  /// How long memberships outlive their connection.
  static let grace = TimeAmount.seconds(3)
  /// A window is stretched to this many times its length at the most, so that a cluster that can take nobody
  /// does not keep a node for ever.
  static let mostStretch: Int64 = 10

  /// Who asked; it decides what comes after.
  public enum Cause: Sendable, Equatable {
    /// The process exits when the drain is over.
    case signal
    /// The node stays, drained, until it is stopped or undrained.
    case command
  }

  /// What the owner does now.
  public enum Action: Sendable, Equatable {
    case acceptNew
    case refuseNew
    /// Say goodbye to that many sessions that were not told yet.
    case sendAway(Int)
    /// Close every session that is left and report how many with `remainingClosed`.
    case closeRemaining
    /// Shut down and exit with this code.
    case exit(Int32)
  }

  enum Phase: Sendable, Equatable {
    /// Until `started`.
    case starting
    /// Until a drain is asked for.
    case ready
    /// New sessions are refused; load balancers notice. Until `until`, then `sendingAway`.
    case settling(Plan, until: NIODeadline)
    /// Until everyone was told, then `waiting`.
    case sendingAway(Plan, Pace)
    /// Everyone was told. Until nobody is left or `until`, then `closing` or `drained`.
    case waiting(Plan, until: NIODeadline)
    /// Until `remainingClosed`, then `drained`, or `ready` when the drain was called off meanwhile.
    case closing(Plan)
    /// Until `undrainRequested` or a signal.
    case drained
    /// The exit is under way. Until another signal.
    case leaving
    case stopped
  }

  struct Plan: Sendable, Equatable {
    var cause: Cause
    var window: TimeAmount
    var isCalledOff = false
  }

  private(set) var phase = Phase.starting
  /// Sessions held when the owner last told.
  private(set) var remaining = 0
  private(set) var now = NIODeadline.uptimeNanoseconds(0)
  private var lastGoodbye: NIODeadline?
  /// Since when nobody is here.
  private(set) var emptySince: NIODeadline?
  /// Sessions of the last drain that had to be closed. Should stay 0.
  public private(set) var forced = 0

  public init() {}

  public var state: NodeState {
    switch phase {
    case .starting: .starting
    case .ready: .ready
    case .settling, .sendingAway, .waiting, .closing: .draining
    case .drained, .leaving: .drained
    case .stopped: .stopped
    }
  }

  /// Whether new sessions are taken, or will be as soon as the last are closed.
  public var canServeAgain: Bool {
    switch phase {
    case .ready: true
    case .closing(let plan): plan.isCalledOff
    default: false
    }
  }

  /// Whether the owner must call `ticked`.
  public var needsTicks: Bool {
    switch phase {
    case .settling, .sendingAway, .waiting: true
    case .starting, .ready, .closing, .drained, .leaving, .stopped: false
    }
  }
}

// MARK: - What happened

extension Drain {
  /// The node can serve.
  public mutating func started() -> Action? {
    guard case .starting = phase else { return nil }
    phase = .ready
    return .acceptNew
  }

  /// A drain by command, of `held` sessions. Asked again, it takes the new window from now on. Does nothing while
  /// the node starts or once a signal has asked.
  public mutating func drainCommanded(
    window: TimeAmount,
    settle: TimeAmount,
    held: Int = 0,
    now: NIODeadline
  ) -> Action? {
    let plan = Plan(cause: .command, window: window)
    switch phase {
    case .ready:
      begin(plan, settle: settle, held: held, now: now)
      return .refuseNew
    case .settling(let old, let until) where old.cause == .command:
      phase = .settling(plan, until: until)
    case .sendingAway(let old, var pace) where old.cause == .command:
      pace.restart(from: now, window: window)
      phase = .sendingAway(plan, pace)
    case .closing(let old) where old.isCalledOff:
      phase = .closing(plan)
    case .settling, .sendingAway, .waiting, .closing, .starting, .drained, .leaving, .stopped: break
    }
    return nil
  }

  /// `SIGTERM` or `SIGINT`. The first starts a drain, or lets one by command end in an exit, within `window` of
  /// now; the second ends the process at once.
  public mutating func signalled(
    window: TimeAmount,
    settle: TimeAmount,
    held: Int = 0,
    now: NIODeadline
  ) -> Action? {
    switch phase {
    case .starting, .drained:
      phase = .leaving
      return .exit(0)
    case .ready:
      begin(Plan(cause: .signal, window: window), settle: settle, held: held, now: now)
      return .refuseNew
    case .settling(var plan, let until) where plan.cause == .command:
      plan = Plan(cause: .signal, window: min(plan.window, window))
      phase = .settling(plan, until: min(until, now + settle))
    case .sendingAway(var plan, var pace) where plan.cause == .command:
      plan.cause = .signal
      pace.hasten(from: now, window: window)
      phase = .sendingAway(plan, pace)
    case .waiting(var plan, let until) where plan.cause == .command:
      plan.cause = .signal
      phase = .waiting(plan, until: until)
    case .closing(var plan) where plan.cause == .command:
      plan = Plan(cause: .signal, window: plan.window)
      phase = .closing(plan)
    case .settling, .sendingAway, .waiting, .closing, .leaving:
      phase = .stopped
      return .exit(1)
    case .stopped: break
    }
    return nil
  }

  /// The drain is called off, at any point before the exit. Those told already go if they have begun to, and may
  /// stay if not.
  public mutating func undrainRequested() -> Action? {
    switch phase {
    case .settling, .sendingAway, .waiting, .drained:
      phase = .ready
      return .acceptNew
    case .closing(var plan):
      plan.isCalledOff = true
      phase = .closing(plan)
      return nil
    case .starting, .ready, .leaving, .stopped: return nil
    }
  }

  /// That many sessions stayed after their goodbye until they were closed for it.
  public mutating func sessionsOutstayed(_ count: Int) {
    if state == .draining { forced += count }
  }

  /// Time passed. `held` sessions are here, `untold` of them have had no goodbye. `departing` memberships outlive
  /// their connection for the grace time: the drain waits for them too. The other nodes can take `acceptable`
  /// sessions a second together, nil where that is not known.
  public mutating func ticked(
    now: NIODeadline,
    held: Int,
    untold: Int,
    departing: Int = 0,
    acceptable: Double? = nil
  ) -> Action? {
    self.now = now
    remaining = held
    emptySince = held > 0 ? nil : emptySince ?? now
    let isEmpty = held == 0 && departing == 0
    switch phase {
    case .settling(let plan, let until):
      if isEmpty, now >= until { return over(plan) }
      if now >= until {
        phase = .sendingAway(plan, Pace(from: now, window: plan.window))
        return sendAway(untold: untold, acceptable: acceptable)
      }
      return nil
    case .sendingAway(let plan, _):
      return isEmpty ? over(plan) : sendAway(untold: untold, acceptable: acceptable)
    case .waiting(let plan, let until):
      if isEmpty { return over(plan) }
      if untold > 0 {
        // A session that was on its way in when the drain began.
        phase = .waiting(plan, until: now + Drain.patience)
        return .sendAway(untold)
      }
      guard now >= until else { return nil }
      phase = .closing(plan)
      return .closeRemaining
    case .starting, .ready, .closing, .drained, .leaving, .stopped: return nil
    }
  }

  /// `closeRemaining` is done: that many sessions were cut.
  public mutating func remainingClosed(_ count: Int) -> Action? {
    guard case .closing(let plan) = phase else { return nil }
    forced += count
    remaining = 0
    guard !plan.isCalledOff else {
      phase = .ready
      return .acceptNew
    }
    return over(plan)
  }

  private mutating func begin(_ plan: Plan, settle: TimeAmount, held: Int, now: NIODeadline) {
    self.now = now
    remaining = held
    forced = 0
    lastGoodbye = nil
    emptySince = nil
    phase = .settling(plan, until: now + settle)
  }

  private mutating func sendAway(untold: Int, acceptable: Double?) -> Action? {
    guard case .sendingAway(let plan, var pace) = phase else { return nil }
    let count = pace.due(of: untold, now: now, acceptable: acceptable)
    if count > 0 { lastGoodbye = now }
    phase =
      count == untold
      ? .waiting(plan, until: (lastGoodbye ?? now) + Drain.patience) : .sendingAway(plan, pace)
    return count > 0 ? .sendAway(count) : nil
  }

  private mutating func over(_ plan: Plan) -> Action? {
    phase = plan.cause == .signal ? .leaving : .drained
    return plan.cause == .signal ? .exit(0) : nil
  }
}
