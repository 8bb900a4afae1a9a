import NIOConcurrencyHelpers
import NIOCore

/// What one subscription was brought and its consumer has not taken. Filled on the loop, emptied by a task.
final class EventBuffer: Sendable {
  typealias Continuation = CheckedContinuation<Result<SluiceEvent?, SluiceError>, Never>

  private struct State: Sendable {
    var events = CircularBuffer<SluiceEvent>()
    var consumers: [(id: UInt64, continuation: Continuation)] = []
    var lastConsumer: UInt64 = 0
    var end: Result<Void, SluiceError>?
    var isFull = false
  }

  /// Not a `Mutex`: the thread sanitizer knows nothing of that lock, and takes its every use for a race.
  private let state = NIOLockedValueBox(State())
  private let limit: Int

  init(limit: Int) {
    self.limit = max(limit, 1)
  }

  /// Adds an event. True when it is full from now on.
  func push(_ event: SluiceEvent) -> Bool {
    let (consumer, isFull) = state.withLockedValue { state -> (Continuation?, Bool) in
      guard state.end == nil else { return (nil, false) }
      if !state.consumers.isEmpty { return (state.consumers.removeFirst().continuation, false) }
      state.events.append(event)
      guard !state.isFull, state.events.count >= limit else { return (nil, false) }
      state.isFull = true
      return (nil, true)
    }
    consumer?.resume(returning: .success(event))
    return isFull
  }

  /// Nothing comes any more; what is there can still be taken, and then the error is thrown.
  func finish(throwing error: SluiceError? = nil) {
    let consumers = state.withLockedValue { state -> [Continuation] in
      guard state.end == nil else { return [] }
      state.end = error.map { .failure($0) } ?? .success(())
      defer { state.consumers = [] }
      return state.consumers.map(\.continuation)
    }
    for consumer in consumers { consumer.resume(returning: error.map { .failure($0) } ?? .success(nil)) }
  }

  /// The next event, as soon as there is one; nil at the end, and when the task is cancelled.
  /// - Parameter drained: called when it was full and there is room again.
  func next(_ drained: () -> Void) async throws(SluiceError) -> SluiceEvent? {
    let id = state.withLockedValue { state in
      state.lastConsumer += 1
      return state.lastConsumer
    }
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        var hasRoom = false
        let ready = state.withLockedValue { state -> Result<SluiceEvent?, SluiceError>? in
          if Task.isCancelled { return .success(nil) }
          if let event = state.events.popFirst() {
            hasRoom = state.isFull && state.events.count <= limit / 4
            if hasRoom { state.isFull = false }
            return .success(event)
          }
          if let end = state.end { return end.map { nil } }
          state.consumers.append((id, continuation))
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
        if hasRoom { drained() }
      }
    } onCancel: {
      let consumer = state.withLockedValue { state -> Continuation? in
        guard let index = state.consumers.firstIndex(where: { $0.id == id }) else { return nil }
        return state.consumers.remove(at: index).continuation
      }
      consumer?.resume(returning: .success(nil))
    }
    return try result.get()
  }

  /// Whether it was full and its consumer has not caught up since.
  var isFull: Bool { state.withLockedValue { $0.isFull } }

  /// Events that wait.
  var count: Int { state.withLockedValue { $0.events.count } }
}
