import NIOConcurrencyHelpers
import Testing

/// What `condition` finds, as soon as it finds it. A failure when it does not in time.
@discardableResult
func eventually<Found>(
  _ what: String,
  within limit: Duration = .seconds(20),
  every pause: Duration = .milliseconds(5),
  sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Found?
) async throws -> Found {
  let deadline = ContinuousClock.now + limit
  while ContinuousClock.now < deadline {
    if let found = try await condition() { return found }
    try await Task.sleep(for: pause)
  }
  let found = try await condition()
  return try #require(found, "in vain for \(limit): \(what)", sourceLocation: sourceLocation)
}

/// Waits until `condition` holds.
func eventually(
  _ what: String,
  within limit: Duration = .seconds(20),
  every pause: Duration = .milliseconds(5),
  sourceLocation: SourceLocation = #_sourceLocation,
  holds condition: () async throws -> Bool
) async throws {
  _ = try await eventually(what, within: limit, every: pause, sourceLocation: sourceLocation) {
    try await condition() ? true : nil
  }
}

/// What arrived, for a test to wait for.
final class Inbox<Element: Sendable>: Sendable {
  private let elements = NIOLockedValueBox<[Element]>([])

  func append(_ element: Element) {
    elements.withLockedValue { $0.append(element) }
  }

  var all: [Element] { elements.withLockedValue { $0 } }

  /// The first that is told to be the one, as soon as it is there.
  func first<Found: Sendable>(
    _ what: String,
    within limit: Duration = .seconds(20),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ pick: (Element) -> Found?
  ) async throws -> Found {
    var seen = 0
    return try await eventually(what, within: limit, sourceLocation: sourceLocation) {
      let all = all
      defer { seen = all.count }
      for element in all[seen...] { if let found = pick(element) { return found } }
      return nil
    }
  }
}
