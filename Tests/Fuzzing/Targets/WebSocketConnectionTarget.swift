import Framing
import NIOCore
import NIOEmbedded
import TestSockets
import Wire

@testable import Transports

extension FuzzTarget {
  /// A WebSocket after its handshake: messages put together, pings answered, the closing handshake.
  static let webSocketConnection = FuzzTarget("websocket-connection", longest: 1_000) { input in
    let runs = try Pieces.ways(input).map { try SocketRun($0) }
    let run = runs[0]
    for other in runs.dropFirst() { try demandSame(run, other, "cut otherwise, it is answered otherwise") }

    // The client has gone before its first answer, with more in the socket.
    let half = input.count / 2
    let broken = try SocketRun([ByteBuffer(bytes: input[..<half])], left: ByteBuffer(bytes: input[half...]))
    try demandSame(broken.ends.count, 1, "broken, it ends once")

    var decoder = WebSocketDecoder(role: .client, maximumMessageSize: 1 << 20)
    decoder.append(ByteBuffer(bytes: run.output))
    var events: [WebSocketDecoder.Event] = []
    while let event = try decoder.next() { events.append(event) }
    try demand(!decoder.isInsideMessage, "an answer that is not whole")
    let messages = events.count { if case .message = $0 { true } else { false } }
    try demandSame(messages, run.messages.count, "messages and echoes")
    let closes = events.count { if case .close = $0 { true } else { false } }
    try demandSame(run.ends.count, 1, "it ends once")
    switch run.ends[0] {
    case .lost: try demandSame(closes, 0, "a close frame after the end")
    default: try demandSame(closes, 1, "one close frame")
    }
  }
}

/// One connection's life.
private struct SocketRun: Equatable {
  var messages: [ByteBuffer] = []
  var ends: [WebSocketEnd] = []
  var output: [UInt8] = []

  init(_ pieces: [ByteBuffer], left: ByteBuffer? = nil) throws {
    let channel = EmbeddedChannel()
    let owner = EchoingOwner()
    let wheel = TimerWheel(eventLoop: channel.embeddedEventLoop)
    var settings = WebSocketSettings(maximumMessageSize: 300)
    settings.pingAfter = nil
    // Time goes on while it works: it is interrupted every few events.
    var time = NIODeadline.uptimeNanoseconds(0)
    let turns = SharedTurns(eventLoop: channel.embeddedEventLoop) {
      time = time + .microseconds(40)
      return time
    }
    let connection = WebSocketConnection(owner: owner, settings: settings, wheel: wheel, turns: turns)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.pipeline.syncOperations.addHandler(connection)
    if let left { try channel.pipeline.syncOperations.addHandler(BrokenSocket(left: left), position: .first) }
    for piece in pieces { try channel.writeInbound(piece) }
    channel.embeddedEventLoop.advanceTime(by: .seconds(10))
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    channel.embeddedEventLoop.run()
    while let bytes = try channel.readOutbound(as: ByteBuffer.self) { output += bytes.readableBytesView }
    _ = try? channel.finish(acceptAlreadyClosed: true)
    messages = owner.messages
    ends = owner.ends
  }
}

/// Sends back what it gets.
private final class EchoingOwner: WebSocketOwner {
  var messages: [ByteBuffer] = []
  var ends: [WebSocketEnd] = []

  func opened(_ connection: WebSocketConnection<EchoingOwner>) {}

  func messageArrived(
    _ kind: WebSocketDecoder.MessageKind,
    _ payload: ByteBuffer,
    on connection: WebSocketConnection<EchoingOwner>
  ) {
    messages.append(ByteBuffer(bytes: payload.readableBytesView))
    var frame = ByteBuffer()
    WebSocketFrame.write(kind.opcode, payload: payload, into: &frame)
    connection.write(frame)
  }

  func writabilityChanged(_ isWritable: Bool, on connection: WebSocketConnection<EchoingOwner>) {}

  func closed(_ connection: WebSocketConnection<EchoingOwner>, because reason: WebSocketEnd) {
    ends.append(reason)
  }
}
