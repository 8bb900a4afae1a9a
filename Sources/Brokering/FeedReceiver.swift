public import NIOCore
public import Wire

/// Takes what the feed brings, on the port's loop.
public protocol FeedReceiver: AnyObject {
  /// All that one read of the feed brought for channels attached on this loop, in order.
  func feedArrived(_ batch: [FeedDelivery])
  /// The feed is cut: nothing is known of attached channels until `feedRestored`.
  func feedLost()
  /// Every attached channel is fed again; positions must be verified now. Presence of this loop's holders must
  /// be joined again where `presenceLost` (the cluster's memory of it may be gone).
  func feedRestored(presenceLost: Bool)
}

/// What the feed brought for one channel.
public struct FeedDelivery: Sendable {
  public var channel: ChannelName
  public var items: [FeedItem]

  public init(channel: ChannelName, items: [FeedItem]) {
    self.channel = channel
    self.items = items
  }
}

/// One thing on a channel's feed.
public enum FeedItem: Sendable {
  case message(Message)
  /// In an ephemeral channel: no cursor.
  case ephemeral(data: ByteBuffer, user: String?, time: Int64)
  case join(Member)
  case leave(Member)
}
