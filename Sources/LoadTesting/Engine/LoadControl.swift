import NIOConcurrencyHelpers

/// Ends a run early, from outside.
public final class LoadControl: Sendable {
  private let isEndingBox = NIOLockedValueBox(false)

  public init() {}

  /// The run comes to its end as if its time were over: what is under way arrives, and is judged.
  public func end() { isEndingBox.withLockedValue { $0 = true } }

  public var isEnding: Bool { isEndingBox.withLockedValue { $0 } }
}
