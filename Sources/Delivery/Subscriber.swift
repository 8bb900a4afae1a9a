public import NIOCore
public import Wire

/// One connection that messages are delivered to. Confined to its loop.
///
/// It holds no messages: what is not written yet is named by its subscriptions' cursors.
public final class Subscriber {
  /// What the connection speaks.
  public enum Representation: Sendable {
    /// WebSocket text frames.
    case webSocket
    /// Server-sent events; chunked, or a body that ends with the connection (HTTP/1.0).
    case eventStream(isChunked: Bool)
  }

  public let representation: Representation
  public internal(set) var subscriptions: [Subscription] = []
  /// For a stream of several channels: where it stands in each, which is what its ids say.
  var positions = CursorSet()
  /// Whether its subscriptions deliver; before `start` they only hold their place.
  var isStarted: Bool
  var isTouched = false
  var isPumping = false
  var mustPumpAgain = false
  private var context: ChannelHandlerContext?

  /// A subscriber that is not started delivers nothing until `DeliveryShard.start`.
  public init(_ representation: Representation, isStarted: Bool) {
    self.representation = representation
    self.isStarted = isStarted
  }

  /// `context` is that of the connection's last handler: what is written goes straight to the socket.
  public func connect(_ context: ChannelHandlerContext) {
    self.context = context
  }

  public var isWritable: Bool { context?.channel.isWritable ?? false }

  /// Whether an event stream's ids name several channels.
  var isComposite: Bool {
    switch representation {
    case .webSocket: false
    case .eventStream(let isChunked): subscriptions.count != 1 || !isChunked
    }
  }

  /// Remembers a position for the ids of a stream of several channels.
  func stands(at cursor: Cursor, in channel: ChannelName) {
    if isComposite { positions[channel] = cursor }
  }

  /// The connection is gone; nothing is written to it any more.
  public func disconnect() {
    context = nil
  }

  func write(_ bytes: ByteBuffer) {
    context?.write(NIOAny(bytes), promise: nil)
  }

  func flush() {
    context?.flush()
  }

  /// The subscription to a channel, where there is one.
  public func subscription(to channel: ChannelName) -> Subscription? {
    subscriptions.first { $0.log.channel == channel }
  }
}

@available(*, unavailable) extension Subscriber: Sendable {}
