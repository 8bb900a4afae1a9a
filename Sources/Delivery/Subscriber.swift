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
    /// JSON objects with commas between, collected for one answer of about `limit` bytes at the most.
    case poll(limit: Int)
  }

  // What every delivery looks at stands first, and together: the rest is seldom in the processor's cache.

  /// Of the socket, while it may be written to; negative else.
  private(set) var descriptor: NIOBSDSocket.Handle = -1
  /// Whether the channel may have bytes that the socket did not take yet.
  var channelMayHold = true
  /// Whether bytes wait in the channel for the next flush.
  var hasQueued = false
  /// Whether there is one subscription, so that nothing else can be on its way to the connection.
  private(set) var isSingle = false
  public let representation: Representation
  /// Bytes that are to leave with the next flush, the only ones so far.
  var alone: ByteBuffer?
  private(set) var channel: (any Channel)?
  private(set) var context: ChannelHandlerContext?
  public internal(set) var subscriptions: [Subscription] = [] {
    didSet { isSingle = subscriptions.count == 1 }
  }
  /// Of a WebSocket that agreed to compress: the logarithm of its window. Set by ``compress(windowBits:)`` alone: what
  /// other modules may set is checked at each delivery.
  private(set) var windowBits: Int?
  /// For a stream of several channels: where it stands in each, which is what its ids say.
  var positions = CursorSet()
  /// Whether its subscriptions deliver; before `start` they only hold their place.
  var isStarted: Bool
  var isTouched = false
  var isPumping = false
  /// Whether it is looked after again in another turn of the loop.
  var goesOn = false
  /// Whether a handler below changes bytes on their way to the socket. It takes all it is given, and what it has shows in
  /// the channel with a flush only.
  private(set) var isSecured = false
  /// How many bytes such a handler was given since the last flush.
  var unflushed = 0
  /// How many of its subscriptions wait for a read of their log, and whether others wait until these are fewer.
  var reads: Int32 = 0
  var isHeldBack = false
  /// Where among its subscriptions the next round begins: what a slow reader takes is shared among its channels.
  var turn: Int32 = 0
  /// What a poll is to be answered with.
  private var collected = ByteBuffer()
  /// Called when a poll has been looked after: something was collected, or there is nothing more to be had now.
  public var onCollected: (() -> Void)?
  /// Called when it has left more untold than a channel keeps: the connection is to be closed.
  public var onTooSlow: (() -> Void)?
  /// How long its channels are followed after it has left, in seconds, where that is longer than usual.
  public var lingerSeconds = 0

  /// A subscriber that is not started delivers nothing until `DeliveryShard.start`.
  public init(_ representation: Representation, isStarted: Bool) {
    self.representation = representation
    self.isStarted = isStarted
  }

  /// A WebSocket has agreed to compress, with a window of so many bits.
  public func compress(windowBits: Int) { self.windowBits = windowBits }

  /// `context` is that of the handler next to the socket: what is written goes straight to it, and its end is heard
  /// before anything else happens.
  /// - Parameter isSecured: a handler below it changes bytes on their way to the socket.
  public func connect(_ context: ChannelHandlerContext, isSecured: Bool) {
    self.context = context
    channel = context.channel
    self.isSecured = isSecured
    descriptor = isSecured ? -1 : Subscriber.descriptor(of: context.channel) ?? -1
  }

  public var isWritable: Bool {
    if case .poll(let limit) = representation { return collected.readableBytes < limit }
    guard let channel else { return false }
    // A channel that holds nothing has room. To ask it costs more than all else here: it is far away in memory.
    return !channelMayHold || channel.isWritable
  }

  var isPoll: Bool { if case .poll = representation { true } else { false } }

  public var hasCollected: Bool { collected.readableBytes > 0 }

  /// Whether nothing more can be collected at this moment: the log is not being asked for it.
  public var isSettled: Bool {
    isStarted && subscriptions.allSatisfy { $0.state == .live || ($0.state == .behind && !isWritable) }
  }

  /// Takes what was collected: JSON objects with commas between.
  public func takeCollected() -> ByteBuffer {
    defer { collected = ByteBuffer() }
    return collected
  }

  func collect(_ json: ByteBuffer) {
    if collected.readableBytes > 0 { collected.writeInteger(UInt8(ascii: ",")) }
    collected.writeImmutableBuffer(json)
  }

  /// Whether an event stream's ids name several channels.
  var isComposite: Bool {
    switch representation {
    case .webSocket, .poll: false
    case .eventStream(let isChunked): !isSingle || !isChunked
    }
  }

  /// Remembers a position for the ids of a stream of several channels.
  func stands(at cursor: Cursor, in channel: ChannelName) {
    if isComposite { positions[channel] = cursor }
  }

  /// The connection is gone; nothing is written to it any more.
  public func disconnect() {
    context = nil
    channel = nil
    descriptor = -1
    alone = nil
    onCollected = nil
    onTooSlow = nil
  }

  /// The subscription to a channel, where there is one.
  public func subscription(to channel: ChannelName) -> Subscription? {
    subscriptions.first { $0.log.channel == channel }
  }
}

@available(*, unavailable) extension Subscriber: Sendable {}
