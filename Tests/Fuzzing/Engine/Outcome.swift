import Dispatch
import NIOConcurrencyHelpers

/// What asynchronous work comes to, waited for where nothing may suspend. The work has a thread of its own: those that
/// tasks share may all be waiting.
func outcome<Value: Sendable>(of work: @escaping @Sendable () async throws -> Value) throws -> Value {
  let result = NIOLockedValueBox<Result<Value, any Error>?>(nil)
  let isDone = DispatchSemaphore(value: 0)
  Task(executorPreference: QueueExecutor()) {
    let outcome: Result<Value, any Error>
    do {
      outcome = .success(try await work())
    } catch {
      outcome = .failure(error)
    }
    result.withLockedValue { $0 = outcome }
    isDone.signal()
  }
  isDone.wait()
  return try required(result.withLockedValue { $0 }, "an outcome").get()
}

private final class QueueExecutor: TaskExecutor {
  private let queue = DispatchQueue(label: "outcome")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
