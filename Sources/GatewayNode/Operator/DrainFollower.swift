public import NIOCore
private import Sessions
private import Wire

/// Follows one process through a drain, by what is said of it from time to time. Knows neither clock nor network.
public struct DrainFollower: Sendable {
  public enum Step: Sendable, Equatable {
    case goesOn
    /// It is as was asked, in a sentence.
    case done(String)
    /// It will not be, and why.
    case failed(String)
  }

  public enum Goal: Sendable {
    case drained, ready
  }

  /// How long the listener that is asked may be away.
  static let patience = TimeAmount.seconds(15)

  public let node: String
  /// Where to ask how it goes on: it names the process, not one that takes its place.
  public let path: String
  private let goal: Goal
  private var state = ""
  private var total = 0
  private var remaining = 0
  private var perSecond = 0.0
  private var secondsLeft = 0
  private var forced = 0
  private var phase = ""
  private var lastHeard: NIODeadline

  /// Nil when `answer` is no node's object.
  public init?(_ answer: ByteBuffer, to goal: Goal, now: NIODeadline) {
    guard let object = try? JSONObject(answer), let node = object["node"]?.string,
      let incarnation = object["incarnation"]?.string,
      let path = try? DrainRequest.path(of: incarnation)
    else { return nil }
    self.node = node
    self.path = path
    self.goal = goal
    lastHeard = now
    take(object)
  }

  /// What the first answer, or the latest one, says.
  public var step: Step {
    switch (state, goal) {
    case ("drained", .drained): .done("\(node) is drained\(closed)")
    case ("stopped", .drained): .done("\(node) is drained and has stopped\(closed)")
    case ("draining", .drained), ("draining", .ready): .goesOn
    case ("ready", .ready): .done("\(node) is ready")
    case ("ready", .drained): .failed("the drain of \(node) was called off")
    case (_, .drained): .failed("\(node) is \(state), and was not drained")
    case (_, .ready): .failed("\(node) is \(state), and not ready")
    }
  }

  /// The node's object has come.
  public mutating func heard(_ body: ByteBuffer, now: NIODeadline) -> Step {
    guard let object = try? JSONObject(body) else { return lost("no node's object was answered", now: now) }
    lastHeard = now
    take(object)
    return step
  }

  /// It has not.
  public func lost(_ reason: String, now: NIODeadline) -> Step {
    now - lastHeard < DrainFollower.patience
      ? .goesOn : .failed("it is not known how \(node) stands, its drain may go on: \(reason)")
  }

  /// Where the drain is, in a line.
  public var line: String {
    "\(node): \(remaining) of \(total) left, \(doing)\(secondsLeft)s to go\(closed)"
  }

  private var doing: String {
    switch Drain.Progress.Step(rawValue: phase) {
    case .settling: "nobody told yet, "
    case .sendingAway where perSecond <= 0: "paused for the other nodes, "
    case .leaving: "all told, "
    case .overdue: "late ones are closed, "
    case .lingering: "presence kept, "
    case .sendingAway, nil: perSecond > 0 ? "\(perSecond.whole(.up))/s, " : ""
    }
  }

  /// The same with a bar in front.
  public var bar: String {
    let width = 30
    let done = total == 0 ? width : width * (total - remaining) / total
    return "[\(String(repeating: "#", count: done))\(String(repeating: "-", count: width - done))] \(line)"
  }

  private var closed: String {
    forced == 0 ? "" : ", \(forced) \(forced == 1 ? "session" : "sessions") had to be closed"
  }

  private mutating func take(_ object: JSONObject) {
    state = object["state"]?.string ?? "unknown"
    let drain = object["drain"]?.object
    remaining = Int((drain?["remaining"]?.integer ?? 0).clamped(to: 0...1_000_000_000_000))
    total = max(total, remaining)
    perSecond = drain?["per_second"]?.number ?? 0
    secondsLeft = Int(drain?["seconds_left"]?.integer ?? 0)
    phase = drain?["phase"]?.string ?? ""
    forced = max(forced, Int(drain?["forced"]?.integer ?? 0))
  }
}
