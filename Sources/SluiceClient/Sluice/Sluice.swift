import NIOCore
import NIOPosix
import Synchronization
public import Wire

/// A client of a Sluice cluster.
///
///     let sluice = try Sluice("http://127.0.0.1:8080")
///     try await sluice.publish("room:lobby", json: #"{"text":"hello"}"#)
///     for try await event in sluice.subscribe("room:lobby", since: .start) {
///       if case .message(let message) = event { print(message.json) }
///     }
///
/// All subscriptions of one client share a connection. It is a WebSocket where that works, else an event stream,
/// long polls or short polls; what worked is kept, and the better ones are tried again later. When the
/// connection is lost, or a node sends its clients away, it goes on from its cursors, on any node: each message
/// comes once and in order, and what was missed is told as a gap.
///
/// A consumer that is slow holds the connection back, and with it the other subscriptions of the same client; what
/// is not read stays in the log. The client ends when neither it nor any of its subscriptions is held any more.
public final class Sluice: Sendable {
  let home: ClientHome
  private let buffer: Int
  private let lastRequest = Atomic<UInt64>(0)

  /// - Parameter url: of the cluster's public side, `http://HOST[:PORT]`. It does not connect before the first
  ///   subscription or request.
  public init(_ url: String, options: Options = Options()) throws(SluiceError) {
    guard let endpoint = Endpoint(url: url) else {
      throw SluiceError("\(url.debugDescription) is no address of a cluster: expected http://HOST:PORT")
    }
    guard !options.transports.isEmpty else { throw SluiceError("there is no transport to try") }
    buffer = options.buffer
    home = ClientHome(on: MultiThreadedEventLoopGroup.singleton.any()) {
      ClientCore(endpoint, options, on: $0)
    }
  }

  /// The events of one channel.
  /// - Parameters:
  ///   - since: from now, when nil.
  ///   - presence: whether to be a member, or to hear of members.
  public func subscribe(
    _ channel: String,
    since: Since? = nil,
    presence: PresenceWish? = nil
  ) -> Subscription {
    var set: SinceSet?
    switch since {
    case nil: break
    case .start: set = .start
    case .cursor(let cursor):
      var positions = CursorSet()
      if let channel = ChannelName(channel) { positions[channel] = cursor }
      set = .positions(positions)
    }
    return subscribe([channel], since: set, presence: presence)
  }

  /// The events of several channels in one sequence. A channel that `since` does not name begins from now.
  public func subscribe(
    _ channels: [String],
    since: SinceSet? = nil,
    presence: PresenceWish? = nil
  ) -> Subscription {
    let events = EventBuffer(limit: buffer)
    var names: [ChannelName] = []
    for channel in channels {
      guard let name = ChannelName(channel) else {
        let message = "\(channel.debugDescription) is no channel: 1 to 128 of A-Z a-z 0-9 _ . : -"
        events.finish(throwing: SluiceError(.badChannel, message))
        break
      }
      if !names.contains(name) { names.append(name) }
    }
    if names.count > 0 {
      home.run { [names] core in core.subscribe(events, names, since: since, presence: presence) }
    } else {
      events.finish()
    }
    return Subscription(lease: SubscriptionLease(events, home))
  }

  /// How the subscriptions are connected: the present state, then each new one. A listener that is slow misses
  /// the older ones.
  public var connections: AsyncStream<ConnectionState> {
    let (stream, listener) = AsyncStream.makeStream(
      of: ConnectionState.self,
      bufferingPolicy: .bufferingNewest(64)
    )
    home.run { [weak home] core in
      if let home { core.listen(listener, home) } else { listener.finish() }
    }
    return stream
  }

  /// Ends every subscription and request, and lets the connections go.
  public func close() {
    home.run { $0.close() }
  }

  func send(_ request: HTTPRequest) async throws -> HTTPResponse {
    let id = lastRequest.add(1, ordering: .relaxed).newValue
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        home.run { core in core.send(id, request) { continuation.resume(with: $0) } }
        if Task.isCancelled { home.run { $0.cancel(id) } }
      }
    } onCancel: {
      home.run { $0.cancel(id) }
    }
  }
}
