public import NIOCore
public import NIOHTTP1
public import Wire

/// Publishes over HTTP and does not give up: what is answered `503`, or not at all, is sent again with the same
/// idempotency key, so that it is stored once.
///
/// Everything about it happens on its loop, its methods are to be called there.
public final class Publisher {
  public struct Receipt: Sendable, Equatable {
    /// Nil in an ephemeral channel.
    public var cursor: Cursor?
    /// The log had it already from an attempt that was not answered.
    public var isRepeated: Bool
    public var attempts: Int
  }

  public struct Failure: Error, Sendable {
    /// Of the last answer; nil when there was none.
    public var status: Int?
    public var reason: String
    public var attempts: Int
  }

  public typealias Completion = (Result<Receipt, Failure>) -> Void

  private struct Job {
    let request: HTTPRequest
    let deadline: NIODeadline
    let done: Completion
    var backoff: Backoff
    var attempts = 0
  }

  public let loop: any EventLoop
  private let headers: HTTPHeaders
  private let backoff: Backoff
  private var idle: CircularBuffer<HTTPConnection>
  private var connections: [HTTPConnection]
  private var waiting = CircularBuffer<Job>()
  private var isClosed = false
  /// Attempts that were answered `503` or not at all.
  public private(set) var failedAttempts = 0

  /// - Parameters:
  ///   - endpoints: tried in turn, so that a retry goes to another.
  ///   - connections: to each of them; so many publishes are under way at once.
  ///   - headers: of every request.
  public init(
    to endpoints: [Endpoint],
    connections: Int = 4,
    headers: HTTPHeaders = [:],
    backoff: Backoff = Backoff(ceiling: .seconds(2)),
    on loop: any EventLoop
  ) {
    self.loop = loop
    self.headers = headers
    self.backoff = backoff
    self.connections = (0..<connections).flatMap { _ in endpoints.map { HTTPConnection(to: $0, on: loop) } }
    idle = CircularBuffer(self.connections)
  }

  /// Publishes `data`, which is JSON. `done` is called once, with a failure when it was refused or when
  /// `deadline` has passed between two attempts.
  /// - Parameter key: the idempotency key; one of chance when nil.
  public func publish(
    _ channel: ChannelName,
    data: ByteBuffer,
    key: String? = nil,
    deadline: NIODeadline,
    _ done: @escaping Completion
  ) {
    var request = HTTPRequest(.POST, "/v1/channels/\(channel.text)/messages", headers: headers, body: data)
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(
      name: "Idempotency-Key",
      value: key ?? String(UInt64.random(in: .min ... .max), radix: 36)
    )
    waiting.append(Job(request: request, deadline: deadline, done: done, backoff: backoff))
    startWaiting()
  }

  /// Publishes that are neither answered nor given up.
  public var unsettled: Int { waiting.count + retrying + connections.count - idle.count }
  private var retrying = 0

  /// Closes every connection; publishes that are not answered fail.
  public func close() {
    isClosed = true
    for connection in connections { connection.close() }
    while let job = waiting.popFirst() { give(up: job, status: nil, "closed") }
  }

  private func startWaiting() {
    while !isClosed, !waiting.isEmpty, let connection = idle.popFirst() {
      var job = waiting.removeFirst()
      job.attempts += 1
      connection.send(job.request, timeout: .seconds(5)) { result in
        self.idle.append(connection)
        self.answered(job, result)
        self.startWaiting()
      }
    }
  }

  private func answered(_ job: Job, _ result: Result<HTTPResponse, HTTPFailure>) {
    switch result {
    case .success(let response) where response.status == .created || response.status == .ok:
      let cursor = (try? JSONObject(response.body))?["cursor"]?.string.flatMap { Cursor($0) }
      job.done(
        .success(Receipt(cursor: cursor, isRepeated: response.status == .ok, attempts: job.attempts))
      )
    case .success(let response) where [429, 502, 503, 504].contains(response.status.code):
      retry(job, status: Int(response.status.code), "answered \(response.status)", response.retryAfter)
    case .success(let response):
      give(up: job, status: Int(response.status.code), String(buffer: response.body))
    case .failure(let failure):
      retry(job, status: nil, failure.description, nil)
    }
  }

  private func retry(_ job: Job, status: Int?, _ reason: String, _ retryAfter: TimeAmount?) {
    var job = job
    failedAttempts += 1
    let wait = job.backoff.next(atLeast: retryAfter ?? .zero)
    guard !isClosed, .now() + wait < job.deadline else { return give(up: job, status: status, reason) }
    retrying += 1
    let again = job
    loop.assumeIsolated().scheduleTask(in: wait) {
      self.retrying -= 1
      guard !self.isClosed else { return self.give(up: again, status: status, reason) }
      self.waiting.append(again)
      self.startWaiting()
    }
  }

  private func give(up job: Job, status: Int?, _ reason: String) {
    job.done(.failure(Failure(status: status, reason: reason, attempts: job.attempts)))
  }
}

@available(*, unavailable)
extension Publisher: Sendable {}
