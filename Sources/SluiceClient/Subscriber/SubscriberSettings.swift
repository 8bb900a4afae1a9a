public import NIOCore
public import NIOHTTP1
public import Wire

/// What a subscriber wants, and how it behaves.
public struct SubscriberSettings: Sendable {
  /// For its journal.
  public var name: String
  public var endpoint: Endpoint
  public var transport = SubscriberTransport.webSocket
  /// What is tried in turn where `transport` does not work; it is tried again later.
  public var fallbacks: [SubscriberTransport] = []
  public var channels: [ChannelName]
  /// Where it begins, in every channel: from now, when nil.
  public var since: Since?
  public var presence: PresenceWish?
  /// The secret of the session that it goes on with; a new one, when nil.
  public var session: String?
  /// A WebSocket connects but does not subscribe until it is released.
  public var isHeldBack = false
  /// Of every request, as `Authorization`.
  public var headers: HTTPHeaders = [:]
  /// Tells a load balancer where to go, for a client without cookies.
  public var route: String?
  public var backoff = Backoff()
  /// The opening of a connection, subscriptions included, may take so long.
  public var openingTimeout = TimeAmount.seconds(15)
  /// A connection that is silent for so long is given up: two heartbeats and some.
  public var longestSilence = TimeAmount.seconds(60)
  /// So long a long poll is held at the most, in seconds: 1 to 55.
  public var pollWait = 25
  /// Between two short polls; as the node hints, when nil.
  public var pollInterval: TimeAmount?
  /// After so long on a fallback the better transports are tried again; every further time it is twice as long,
  /// up to five minutes.
  public var climbAfter = TimeAmount.seconds(10)

  public init(name: String = "", endpoint: Endpoint, channels: [ChannelName]) {
    self.name = name
    self.endpoint = endpoint
    self.channels = channels
  }
}
