import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
public import SluiceClient

/// What a connection costs on this machine at this time, whoever makes it: a busy one makes everybody wait, and that
/// is not the drain's doing.
public final class ConnectProbe: Sendable {
  private let times = NIOLockedValueBox(TimeDistribution())
  private let task = NIOLockedValueBox<Task<Void, any Error>?>(nil)

  public init(_ endpoint: Endpoint) {
    let times = times
    let task = Task {
      while !Task.isCancelled {
        let start = NIODeadline.now()
        _ = try? await endpoint.answer(to: HTTPRequest(.GET, "/healthz"), timeout: .seconds(10))
        let took = Int((NIODeadline.now() - start).nanoseconds / 1_000)
        times.withLockedValue { $0.record(took) }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
    self.task.withLockedValue { $0 = task }
  }

  /// Ends it; answers what one of a hundred took at least, in milliseconds.
  public func stop() -> Int {
    task.withLockedValue { $0?.cancel() }
    return times.withLockedValue { $0.percentile(99) / 1_000 }
  }
}
