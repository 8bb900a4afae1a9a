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

  public let loop: any EventLoop
  private let headers: HTTPHeaders
  private let requester: Requester

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
    requester = Requester(to: endpoints, connections: connections, backoff: backoff, on: loop)
  }

  /// Attempts that were answered `503` or not at all.
  public var failedAttempts: Int { requester.failedAttempts }

  /// Publishes that are neither answered nor given up.
  public var unsettled: Int { requester.unsettled }

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
    let request = Publisher.request(channel, data: data, key: key, headers: headers)
    requester.send(request, deadline: deadline) { result, attempts in
      switch result {
      case .success(let response) where response.status == .created || response.status == .ok:
        done(.success(Receipt(response, attempts: attempts)))
      case .success(let response):
        let reason = String(buffer: response.body)
        done(.failure(Failure(status: Int(response.status.code), reason: reason, attempts: attempts)))
      case .failure(let failure):
        let status = failure.response.map { Int($0.status.code) }
        done(.failure(Failure(status: status, reason: failure.reason, attempts: attempts)))
      }
    }
  }

  /// Closes every connection; publishes that are not answered fail.
  public func close() {
    requester.close()
  }

  /// What publishes once, however often it is sent.
  static func request(
    _ channel: ChannelName,
    data: ByteBuffer,
    key: String?,
    headers: HTTPHeaders
  ) -> HTTPRequest {
    var request = HTTPRequest(.POST, "/v1/channels/\(channel.text)/messages", headers: headers, body: data)
    request.headers.add(name: "Content-Type", value: "application/json")
    request.headers.add(
      name: "Idempotency-Key",
      value: key ?? String(UInt64.random(in: .min ... .max), radix: 36)
    )
    return request
  }
}

extension Publisher.Receipt {
  init(_ response: HTTPResponse, attempts: Int) {
    cursor = (try? JSONObject(response.body))?["cursor"]?.string.flatMap { Cursor($0) }
    isRepeated = response.status == .ok
    self.attempts = attempts
  }
}

@available(*, unavailable)
extension Publisher: Sendable {}
