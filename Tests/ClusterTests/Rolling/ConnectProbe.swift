import NIOConcurrencyHelpers
import NIOCore
import SluiceClient

/// What a connection through nginx costs on this machine at this time, whoever makes it: a busy one makes everybody
/// wait, and that is not the drain's doing.
final class ConnectProbe: Sendable {
  private let times = NIOLockedValueBox<[Int]>([])
  private let task = NIOLockedValueBox<Task<Void, any Error>?>(nil)

  init(_ endpoint: Endpoint) {
    let times = times
    let task = Task {
      while !Task.isCancelled {
        let start = NIODeadline.now()
        _ = try? await HTTP.get(endpoint, "/healthz")
        let took = Int((NIODeadline.now() - start).nanoseconds / 1_000_000)
        times.withLockedValue { $0.append(took) }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    self.task.withLockedValue { $0 = task }
  }

  /// Ends it; answers what one of a hundred took at least, in milliseconds.
  func stop() -> Int {
    task.withLockedValue { $0?.cancel() }
    let sorted = times.withLockedValue { $0.sorted() }
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
  }
}
