import Delivery
import Framing
import NIOCore
import NIOEmbedded
import Wire

/// A connection that takes what is written to it, and reads it as a client would.
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

  let channel: EmbeddedChannel
  let subscriber: Subscriber
  let handler: Handler
  private let shard: DeliveryShard
  private var decoder = WebSocketDecoder(role: .client, maximumMessageSize: 1 << 20)

  init(loop: EmbeddedEventLoop, shard: DeliveryShard) throws {
    self.shard = shard
    handler = Handler()
    channel = EmbeddedChannel(handler: handler, loop: loop)
    channel.isWritable = true
    subscriber = Subscriber(.webSocket, isStarted: true)
    subscriber.connect(handler.context!, isSecured: false)
    let subscriber = subscriber
    handler.becameWritable = { [unowned shard] in shard.becameWritable(subscriber) }
  }

  deinit {
    shard.remove(subscriber)
    channel.close(promise: nil)
    channel.embeddedEventLoop.run()
  }

  /// The client reads, or lets its socket fill.
  func setReading(_ isReading: Bool) {
    channel.isWritable = isReading
    channel.pipeline.fireChannelWritabilityChanged()
  }

  /// The events since the last call.
  func events() throws -> [JSONObject] {
    var events: [JSONObject] = []
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
      decoder.append(bytes)
      while let event = try decoder.next() {
        guard case .message(_, let text) = event else { continue }
        events.append(try JSONObject(text))
      }
    }
    return events
  }
}
