/// Decides by its memory what a node does so that the system does not do worse: it takes no more, gives back what it
/// can do without, and at last sends clients away.
public struct MemoryPressure: Sendable, Equatable {
  public enum Level: Int, Sendable, Comparable {
    /// Nothing is to be done.
    case none
    /// New connections are refused, and rings are trimmed.
    case refusing
    /// Besides, connections are sent away, the slowest first.
    case shedding

    public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  /// Parts of the limit at which a level begins, and below which all is well again.
  public static let refusesAt = 0.9
  public static let shedsAt = 1.0
  public static let endsBelow = 0.85

  public private(set) var level = Level.none

  public init() {}

  /// The process was measured; `part` is the part of its limit that it has.
  public mutating func measured(_ part: Double) -> Level {
    switch part {
    case MemoryPressure.shedsAt...: level = .shedding
    case MemoryPressure.refusesAt...: level = .refusing
    case ..<MemoryPressure.endsBelow: level = .none
    // Between the marks it stays as it was, but nobody is sent away any more.
    default: level = min(level, .refusing)
    }
    return level
  }

  /// How many of `connections` are sent away in a second of `shedding`: a fiftieth, so that what it brings can be seen
  /// before the next.
  public static func quota(of connections: Int) -> Int {
    connections == 0 ? 0 : max(1, connections / 50)
  }
}
