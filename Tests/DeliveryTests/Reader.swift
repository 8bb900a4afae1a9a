import Delivery
import Framing
import NIOCore
import NIOEmbedded
import Wire

/// A connection that takes what is written to it, and reads it as a client would. One that is secured does not say that it
/// is full until it is flushed.
final class Reader {
  final class Handler: ChannelInboundHandler {
    typealias InboundIn = Never
    typealias OutboundOut = ByteBuffer
    var context: ChannelHandlerContext?
    var becameWritable: () -> Void = {}
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) {
      self.context = nil
      becameWritable = {}
    }
    func channelWritabilityChanged(context: ChannelHandlerContext) {
      if context.channel.isWritable { becameWritable() }
    }
  }

  /// The socket's end of the connection.
  private final class Bottleneck: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    var fillsAtOnce = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
      if fillsAtOnce { (context.channel as! EmbeddedChannel).isWritable = false }
      context.write(data, promise: promise)
    }
  }

  let channel: EmbeddedChannel
  let subscriber: Subscriber
  let handler: Handler
  private let bottleneck = Bottleneck()
  private let shard: DeliveryShard
  private var decoder = WebSocketDecoder(role: .client, maximumMessageSize: 1 << 20)

  init(
    loop: EmbeddedEventLoop,
    shard: DeliveryShard,
    representation: Subscriber.Representation = .webSocket,
    isSecured: Bool = false
  ) throws {
    self.shard = shard
    handler = Handler()
    channel = EmbeddedChannel(handlers: [bottleneck, handler], loop: loop)
    channel.isWritable = true
    let isSocket = if case .webSocket = representation { true } else { false }
    subscriber = Subscriber(representation, isStarted: isSocket)
    subscriber.connect(handler.context!, isSecured: isSecured)
    let subscriber = subscriber
    handler.becameWritable = { [unowned shard] in shard.becameWritable(subscriber) }
  }

  deinit {
    shard.remove(subscriber)
    channel.close(promise: nil)
    channel.embeddedEventLoop.run()
  }

  /// Whether the connection takes one write, and no more until ``setReading(_:)`` is called again.
  var fillsAtOnce: Bool {
    get { bottleneck.fillsAtOnce }
    set { bottleneck.fillsAtOnce = newValue }
  }

  /// The client reads, or lets its socket fill.
  func setReading(_ isReading: Bool) {
    channel.isWritable = isReading
    channel.pipeline.fireChannelWritabilityChanged()
  }

  /// Where each event of a stream says that the stream stands: of those that ``events()`` gave last.
  private(set) var ids: [CursorSet] = []

  /// The events since the last call.
  func events() throws -> [JSONObject] {
    var events: [JSONObject] = []
    ids = []
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
      guard case .webSocket = subscriber.representation else {
        // Each write is whole events, and here not in chunks.
        for line in String(buffer: bytes).split(separator: "\n") {
          if line.hasPrefix("id: ") { ids.append(CursorSet(line.dropFirst(4))!) }
          if line.hasPrefix("data: ") {
            events.append(try JSONObject(ByteBuffer(string: String(line.dropFirst(6)))))
          }
        }
        continue
      }
      decoder.append(bytes)
      while let event = try decoder.next() {
        guard case .message(_, let text) = event else { continue }
        events.append(try JSONObject(text))
      }
    }
    return events
  }
}
