public import NIOCore
import NIOHTTP1

/// Sends requests and does not give up: what is answered `503` and its like, or not at all, is sent again. So they
/// must be such that may be repeated.
///
/// Everything about it happens on its loop, its methods are to be called there.
public final class Requester {
  public struct Failure: Error, Sendable {
    /// Nil when the last attempt was not answered.
    public var response: HTTPResponse?
    public var reason: String
    public var attempts: Int
  }

  public typealias Completion = (Result<HTTPResponse, Failure>, _ attempts: Int) -> Void

  /// One request on its way.
  public final class Ticket {
    let request: HTTPRequest
    let deadline: NIODeadline
    var done: Completion?
    var backoff: Backoff
    var attempts = 0
    var pause: Scheduled<Void>?
    var connection: HTTPConnection?

    init(_ request: HTTPRequest, _ deadline: NIODeadline, _ backoff: Backoff, _ done: @escaping Completion) {
      self.request = request
      self.deadline = deadline
      self.backoff = backoff
      self.done = done
    }
  }

  public let loop: any EventLoop
  private let backoff: Backoff
  private let hasOneEndpoint: Bool
  private var idle: CircularBuffer<HTTPConnection>
  private let connections: [HTTPConnection]
  private var waiting = CircularBuffer<Ticket>()
  private var paused: [ObjectIdentifier: Ticket] = [:]
  private var isClosed = false
  /// Attempts that were answered `503` or not at all.
  public private(set) var failedAttempts = 0

  /// - Parameters:
  ///   - endpoints: tried in turn, so that a retry goes to another.
  ///   - connections: to each of them; so many requests are under way at once.
  public init(to endpoints: [Endpoint], connections: Int, backoff: Backoff, on loop: any EventLoop) {
    self.loop = loop
    self.backoff = backoff
    hasOneEndpoint = endpoints.count == 1
    self.connections = (0..<connections).flatMap { _ in endpoints.map { HTTPConnection(to: $0, on: loop) } }
    idle = CircularBuffer(self.connections)
  }

  /// `done` is called once: with any answer that is not one to try again, or with a failure when `deadline` has
  /// passed between two attempts.
  @discardableResult
  public func send(_ request: HTTPRequest, deadline: NIODeadline, _ done: @escaping Completion) -> Ticket {
    let ticket = Ticket(request, deadline, backoff, done)
    if isClosed {
      fail(ticket, nil, "closed")
    } else {
      waiting.append(ticket)
      startWaiting()
    }
    return ticket
  }

  /// Takes a request back, with the connection that it is under way on. It is not told about any more.
  public func cancel(_ ticket: Ticket) {
    guard ticket.done.take() != nil else { return }
    ticket.pause?.cancel()
    paused[ObjectIdentifier(ticket)] = nil
    waiting.removeAll { $0 === ticket }
    ticket.connection?.cancel()
  }

  /// Requests that are neither answered nor given up.
  public var unsettled: Int { waiting.count + paused.count + connections.count - idle.count }

  /// Closes every connection; requests that are not answered fail.
  public func close() {
    isClosed = true
    for connection in connections { connection.close() }
    for ticket in paused.values {
      ticket.pause?.cancel()
      fail(ticket, nil, "closed")
    }
    paused = [:]
    while let ticket = waiting.popFirst() { fail(ticket, nil, "closed") }
  }

  private func startWaiting() {
    while !isClosed, !waiting.isEmpty, let connection = idle.popFirst() {
      let ticket = waiting.removeFirst()
      ticket.attempts += 1
      ticket.connection = connection
      connection.send(ticket.request, timeout: .seconds(5)) { result in
        ticket.connection = nil
        self.giveBack(connection)
        self.answered(ticket, result)
        self.startWaiting()
      }
    }
  }

  /// Where there is but one endpoint, a connection that is open is used again before another is opened.
  private func giveBack(_ connection: HTTPConnection) {
    if hasOneEndpoint { idle.prepend(connection) } else { idle.append(connection) }
  }

  private func answered(_ ticket: Ticket, _ result: Result<HTTPResponse, HTTPFailure>) {
    switch result {
    case .success(let response) where [429, 502, 503, 504].contains(response.status.code):
      retry(ticket, response, "answered \(response.summary)")
    case .success(let response):
      ticket.done.take()?(.success(response), ticket.attempts)
    case .failure(let failure):
      retry(ticket, nil, failure.description)
    }
  }

  private func retry(_ ticket: Ticket, _ response: HTTPResponse?, _ reason: String) {
    guard ticket.done != nil else { return }
    failedAttempts += 1
    let wait = ticket.backoff.next(atLeast: response?.retryAfter ?? .zero)
    guard !isClosed, .now() + wait < ticket.deadline else { return fail(ticket, response, reason) }
    paused[ObjectIdentifier(ticket)] = ticket
    ticket.pause = loop.assumeIsolated().scheduleTask(in: wait) {
      self.paused[ObjectIdentifier(ticket)] = nil
      self.waiting.append(ticket)
      self.startWaiting()
    }
  }

  private func fail(_ ticket: Ticket, _ response: HTTPResponse?, _ reason: String) {
    let failure = Failure(response: response, reason: reason, attempts: ticket.attempts)
    ticket.done.take()?(.failure(failure), ticket.attempts)
  }
}

@available(*, unavailable)
extension Requester: Sendable {}

@available(*, unavailable)
extension Requester.Ticket: Sendable {}
