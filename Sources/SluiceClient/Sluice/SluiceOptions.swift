extension Sluice {
  /// How an app wants to be connected.
  public struct Options: Sendable {
    /// Tried in this order; what worked is kept, and better ones are tried again later.
    public var transports: [SubscriberTransport] = [.webSocket, .eventStream, .longPoll, .shortPoll]
    /// Gives the token to present. Asked for before the first request, and again when a node says that the token
    /// has expired or is bad; where it fails it is asked again after a while.
    public var token: (@Sendable () async throws -> String)?
    /// The secret of an earlier session, which keeps its place in presence.
    public var session: String?
    /// Between attempts to connect.
    public var backoff = Backoff()
    /// So many events wait for a subscription's consumer. Beyond that nothing more is read from the connection
    /// until it has caught up with three quarters of them: what it has not taken stays in the channel's log.
    /// What was read already is added: at the most 64 KiB of events over a WebSocket or an event stream, and one
    /// answer, about 256 KiB, over polls.
    public var buffer = 256
    /// A publish or another request is tried for so long.
    public var patience = Duration.seconds(30)

    public init() {}
  }
}
