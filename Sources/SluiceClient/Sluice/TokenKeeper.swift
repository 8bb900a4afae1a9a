import NIOCore
import NIOHTTP1

/// Keeps the token that an app's provider gave, and asks it for another when that was refused.
///
/// Everything about it happens on its loop.
final class TokenKeeper {
  private let loop: any EventLoop
  private let provider: (@Sendable () async throws -> String)?
  private var backoff: Backoff
  private var token: String?
  private var waiting: [(HTTPHeaders) -> Void] = []
  private var asking: Task<Void, Never>?
  private var pause: Scheduled<Void>?
  private var isClosed = false

  init(_ provider: (@Sendable () async throws -> String)?, _ backoff: Backoff, on loop: any EventLoop) {
    self.provider = provider
    self.backoff = backoff
    self.loop = loop
  }

  /// Gives what a request is to carry: in the next turn, or once there is a token.
  func headers(_ done: @escaping (HTTPHeaders) -> Void) {
    waiting.append(done)
    if let provider, token == nil {
      if asking == nil, pause == nil { ask(provider) }
    } else {
      loop.assumeIsolated().execute { self.settle() }
    }
  }

  /// The same after the token was refused.
  func renew(_ done: @escaping (HTTPHeaders) -> Void) {
    if asking == nil { token = nil }
    headers(done)
  }

  func close() {
    isClosed = true
    waiting = []
    pause?.cancel()
    pause = nil
    asking?.cancel()
    asking = nil
  }

  private func settle() {
    guard provider == nil || token != nil else { return }
    let headers: HTTPHeaders = token.map { ["Authorization": "Bearer \($0)"] } ?? [:]
    let waiting = waiting
    self.waiting = []
    for done in waiting { done(headers) }
  }

  private func ask(_ provider: @escaping @Sendable () async throws -> String) {
    let bound = NIOLoopBound(self, eventLoop: loop)
    let loop = loop
    asking = Task {
      let token = try? await provider()
      loop.execute { bound.value.answered(token, provider) }
    }
  }

  private func answered(_ token: String?, _ provider: @escaping @Sendable () async throws -> String) {
    asking = nil
    guard !isClosed else { return }
    if let token {
      backoff.succeeded()
      self.token = token
      settle()
    } else {
      pause = loop.assumeIsolated().scheduleTask(in: backoff.next()) {
        self.pause = nil
        self.ask(provider)
      }
    }
  }
}

@available(*, unavailable)
extension TokenKeeper: Sendable {}
