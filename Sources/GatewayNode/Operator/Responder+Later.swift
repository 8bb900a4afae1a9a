internal import NIOCore
internal import NIOHTTP1
internal import Transports

extension Responder {
  /// Answers with what `work` finds, once it is found.
  func respondLater<Value: Sendable>(
    _ work: @escaping @Sendable () async -> Value,
    _ answer: @escaping (Value, Responder) -> Void
  ) {
    let promise = eventLoop.makePromise(of: Value.self)
    promise.completeWithTask { await work() }
    promise.futureResult.assumeIsolated().whenSuccess { answer($0, self) }
  }

  /// Answers with JSON that is never stored.
  func respondJSON(_ body: ByteBuffer) {
    respond(.ok, headers: ["Content-Type": "application/json", "Cache-Control": "no-store"], body: body)
  }
}
