public import NIOCore
public import NIOHTTP1
public import Wire

/// What a subscriber wants, and how it behaves.
public struct SubscriberSettings: Sendable {
  /// For its journal.
  public var name: String
  public var endpoint: Endpoint
  public var transport = SubscriberTransport.webSocket
  public var channels: [ChannelName]
  /// Where it begins, in every channel: from now, when nil.
  public var since: Since?
  public var presence: PresenceWish?
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

  public init(name: String = "", endpoint: Endpoint, channels: [ChannelName]) {
    self.name = name
    self.endpoint = endpoint
    self.channels = channels
  }
}
