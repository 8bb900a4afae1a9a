public import NIOCore
public import NIOHTTP1
import Wire

/// One `GET` of an event stream. Everything about it happens on its loop, its methods are to be called there.
///
/// It does not reconnect. What happens is told to `events`, `closed` last and exactly once; after that nothing
/// is told and everything is let go.
public final class EventStreamConnection {
  public enum Event: Sendable {
    case opened(HTTPResponseHead)
    case item(EventStreamParser.Item)
    case closed(Closure)
  }

  /// How a stream ended.
  public enum Closure: Sendable {
    /// There was no TCP connection, or it broke before the answer.
    case failed(String)
    /// The answer was not `200` with an event stream.
    case refused(HTTPResponse)
    /// The body was ended as it should be.
    case ended
    /// The connection broke in the middle of the body.
    case lost(String)
  }

  public let loop: any EventLoop
  private var events: ((Event) -> Void)?
  private var channel: (any Channel)?
  private var isAborted = false
  private var isReading = true
  /// Whether there is or was a TCP connection: when there was none, its end says nothing of the server.
  public private(set) var wasConnected = false
  /// When something last arrived.
  public internal(set) var lastHeard = NIODeadline.now()

  /// Begins to connect. To be called on `loop`.
  /// - Parameters:
  ///   - path: with its query, as in `/v1/stream?channels=a,b`.
  ///   - lastEventID: of the stream that is resumed.
  ///   - headers: beside `Host`, `Accept` and `Last-Event-ID`.
  public init(
    to endpoint: Endpoint,
    path: String,
    lastEventID: String? = nil,
    headers: HTTPHeaders = [:],
    on loop: any EventLoop,
    events: @escaping (Event) -> Void
  ) {
    self.loop = loop
    self.events = events
    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path)
    head.headers.add(name: "Host", value: endpoint.authority)
    head.headers.add(name: "Accept", value: "text/event-stream")
    head.headers.add(name: "Cache-Control", value: "no-store")
    if let lastEventID, !lastEventID.isEmpty { head.headers.add(name: "Last-Event-ID", value: lastEventID) }
    head.headers.add(contentsOf: headers)
    let connected = endpoint.connect(on: loop) { channel in
      self.channel = channel
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
      try channel.pipeline.syncOperations.addHandler(EventStreamClientHandler(self, head))
    }
    connected.assumeIsolated().whenComplete { result in
      switch result {
      case .failure(let error): self.tell(.closed(.failed(ConnectFailure.reason(error))))
      case .success(let channel):
        self.wasConnected = true
        if self.isAborted { channel.close(promise: nil) }
        if !self.isReading { channel.setReading(false) }
      }
    }
  }

  /// Cuts the connection.
  public func abort() {
    isAborted = true
    channel?.close(promise: nil)
  }

  /// Changes the pace of a connection whose endpoint has a `readRate`; nil lifts it.
  public func setReadRate(_ bytesPerSecond: Int?) {
    channel?.setReadRate(bytesPerSecond)
  }

  /// Stops taking what comes, which then stays with the server, or goes on.
  public func setReading(_ isReading: Bool) {
    guard isReading != self.isReading else { return }
    self.isReading = isReading
    if isReading { lastHeard = .now() }
    channel?.setReading(isReading)
  }

  func tell(_ event: Event) {
    if case .closed = event {
      let events = events.take()
      channel = nil
      events?(event)
    } else {
      events?(event)
    }
  }
}

@available(*, unavailable)
extension EventStreamConnection: Sendable {}
