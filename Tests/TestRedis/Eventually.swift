/// A condition did not come true in time.
public struct NotInTime: Error, CustomStringConvertible {
  public var description: String

  public init(description: String) {
    self.description = description
  }
}

/// Waits for a condition.
public func eventually(
  _ what: String,
  within limit: Duration = .seconds(15),
  _ condition: () async throws -> Bool
) async throws {
  let end = ContinuousClock.now + limit
  while ContinuousClock.now < end {
    if try await condition() { return }
    try await Task.sleep(for: .milliseconds(5))
  }
  throw NotInTime(description: "not in time: \(what)")
}
