public import NIOCore
import NIOHTTP1

/// One HTTP/1.1 connection that is kept alive: one request at a time, reopened when it was closed in between.
///
/// Everything about it happens on its loop, its methods are to be called there.
public final class HTTPConnection {
  public typealias Completion = (Result<HTTPResponse, HTTPFailure>) -> Void

  public let loop: any EventLoop
  private let endpoint: Endpoint
  private var handler: HTTPClientHandler?
  private var pending: (request: HTTPRequest, done: Completion, timer: Scheduled<Void>)?
  private var isConnecting = false
  private var isClosed = false
  /// When the last request was written to a connection that was open.
  public private(set) var sentAt = NIODeadline.uptimeNanoseconds(0)

  public init(to endpoint: Endpoint, on loop: any EventLoop) {
    self.endpoint = endpoint
    self.loop = loop
  }

  /// Whether a request is under way.
  public var isBusy: Bool { pending != nil }

  /// Sends one request; there must be none under way. `done` is called once, at the latest after `timeout`.
  public func send(
    _ request: HTTPRequest,
    timeout: TimeAmount = .seconds(10),
    _ done: @escaping Completion
  ) {
    precondition(pending == nil, "one request at a time")
    var request = request
    request.headers.replaceOrAdd(name: "Host", value: endpoint.authority)
    if request.body.readableBytes > 0 || request.method == .POST {
      request.headers.replaceOrAdd(name: "Content-Length", value: String(request.body.readableBytes))
    }
    let timer = loop.assumeIsolated().scheduleTask(in: timeout) { self.timeOut(timeout) }
    pending = (request, done, timer)
    if let handler {
      sentAt = .now()
      handler.send(request)
    } else {
      connect()
    }
  }

  /// Lets the connection go for good. A request under way fails.
  public func close() {
    isClosed = true
    handler?.close()
    handler = nil
    finish(.failure(HTTPFailure("closed")))
  }

  /// Gives up the request under way, which fails, and its connection.
  public func cancel() {
    guard pending != nil else { return }
    handler?.close()
    handler = nil
    finish(.failure(HTTPFailure("cancelled")))
  }

  private func connect() {
    guard !isConnecting else { return }
    isConnecting = true
    let connected = endpoint.connect(on: loop) { channel in
      let handler = HTTPClientHandler(self)
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
      try channel.pipeline.syncOperations.addHandler(handler)
    }
    connected.assumeIsolated().whenComplete { result in
      self.isConnecting = false
      if case .failure(let error) = result {
        self.finish(.failure(HTTPFailure(ConnectFailure.reason(error), isUnreachable: true)))
      }
    }
  }

  func opened(_ handler: HTTPClientHandler) {
    guard !isClosed else { return handler.close() }
    self.handler = handler
    guard let pending else { return drop(handler) }
    sentAt = .now()
    handler.send(pending.request)
  }

  /// It came too late for the request that it was opened for.
  private func drop(_ handler: HTTPClientHandler) {
    self.handler = nil
    handler.close()
  }

  func answered(_ response: HTTPResponse, from handler: HTTPClientHandler, keepsAlive: Bool) {
    guard handler === self.handler else { return }
    if !keepsAlive {
      self.handler = nil
      handler.close()
    }
    finish(.success(response))
  }

  func ended(_ handler: HTTPClientHandler, _ reason: String) {
    guard handler === self.handler else { return }
    self.handler = nil
    finish(.failure(HTTPFailure(reason)))
  }

  private func timeOut(_ timeout: TimeAmount) {
    handler?.close()
    handler = nil
    finish(.failure(HTTPFailure("no answer within \(timeout.nanoseconds / 1_000_000) ms")))
  }

  private func finish(_ result: Result<HTTPResponse, HTTPFailure>) {
    guard let (_, done, timer) = pending.take() else { return }
    timer.cancel()
    done(result)
  }
}

@available(*, unavailable)
extension HTTPConnection: Sendable {}
