import NIOCore
import UnixSignals

/// Ctrl-C while a command waits for what goes on without it.
enum Interruption {
  enum End: Sendable {
    /// A sentence, and the object behind it.
    case done(String, ByteBuffer)
    case interrupted
  }

  /// What `work` ends with, unless a signal comes first.
  static func race(_ work: @escaping @Sendable () async throws -> End) async throws -> End {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    return try await withThrowingTaskGroup(of: End.self) { group in
      group.addTask {
        for await _ in signals { return .interrupted }
        throw CancellationError()
      }
      group.addTask { try await work() }
      defer { group.cancelAll() }
      guard let end = try await group.next() else { throw CancellationError() }
      return end
    }
  }
}
