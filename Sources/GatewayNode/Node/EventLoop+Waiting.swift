internal import NIOCore

extension EventLoop {
  /// Waits for `work`, but no longer than `limit`.
  func waiting(atMost limit: TimeAmount, for work: @escaping @Sendable () async -> Void) async {
    let done = makePromise(of: Void.self)
    let alarm = scheduleTask(in: limit) { done.succeed() }
    Task {
      await work()
      alarm.cancel()
      done.succeed()
    }
    try? await done.futureResult.get()
  }
}
