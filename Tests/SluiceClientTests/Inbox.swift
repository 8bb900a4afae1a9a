import NIOConcurrencyHelpers
import Testing

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
    sourceLocation: SourceLocation = #_sourceLocation,
    _ pick: (Element) -> Found?
  ) async throws -> Found {
    try await eventually(what, sourceLocation: sourceLocation) {
      for element in all { if let found = pick(element) { return found } }
      return nil
    }
  }
}

/// What `condition` finds, as soon as it finds it; a failure after ten seconds.
func eventually<Found>(
  _ what: String,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Found?
) async throws -> Found {
  let deadline = ContinuousClock.now + .seconds(10)
  while ContinuousClock.now < deadline {
    if let found = try await condition() { return found }
    try await Task.sleep(for: .milliseconds(2))
  }
  let found = try await condition()
  return try #require(found, "in vain: \(what)", sourceLocation: sourceLocation)
}
