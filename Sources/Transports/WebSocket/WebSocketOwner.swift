import Framing
import NIOCore
import Wire

/// What a WebSocket is for: the connection does the protocol, its owner does what the messages mean. Every call
/// comes on the connection's event loop. The two hold each other: let the connection go in `closed`.
protocol WebSocketOwner: AnyObject {
  /// The handshake is answered. Frames written during the call leave together with that answer.
  func opened(_ connection: WebSocketConnection<Self>)

  /// A whole message. What is written during the call is flushed when the bytes that were read are used up. The
  /// payload may share the storage of a receive buffer: copy what is kept.
  func messageArrived(
    _ kind: WebSocketDecoder.MessageKind,
    _ payload: ByteBuffer,
    on connection: WebSocketConnection<Self>
  )

  /// No more messages come in this turn: what they have brought may leave together.
  func messagesTaken(on connection: WebSocketConnection<Self>)

  /// Bytes have come from the peer, not looked at yet, or so many more out of what it has compressed. Whether they are
  /// taken; who refuses them closes.
  func takes(bytes: Int, on connection: WebSocketConnection<Self>) -> Bool

  /// So many frames have come that only go on with a message. Who has enough of them closes.
  func fragmentsArrived(_ count: Int, on connection: WebSocketConnection<Self>)

  /// A ping or pong has come. Whether it is taken; who refuses it may close.
  func takesControl(on connection: WebSocketConnection<Self>) -> Bool

  /// The socket's buffer passed a water mark. Nothing is read from the peer while it is not writable.
  func writabilityChanged(_ isWritable: Bool, on connection: WebSocketConnection<Self>)

  /// The connection is about to write a frame of its own. Who writes past it must let it pass first.
  func willWrite(on connection: WebSocketConnection<Self>)

  /// No message comes or goes any more. Called exactly once, maybe before the socket itself is closed.
  func closed(_ connection: WebSocketConnection<Self>, because reason: WebSocketEnd)
}

extension WebSocketOwner {
  func messagesTaken(on connection: WebSocketConnection<Self>) {}

  func takes(bytes: Int, on connection: WebSocketConnection<Self>) -> Bool { true }

  func takesControl(on connection: WebSocketConnection<Self>) -> Bool { true }

  func fragmentsArrived(_ count: Int, on connection: WebSocketConnection<Self>) {}

  func willWrite(on connection: WebSocketConnection<Self>) {}
}

/// Why a WebSocket ended.
enum WebSocketEnd: Equatable {
  /// The peer began the closing handshake.
  case peerClosed(code: CloseCode?, reason: String)
  /// We began it.
  case weClosed(CloseCode)
  /// The peer broke the protocol and was told so.
  case violation(WebSocketViolation)
  /// The peer answered no ping.
  case silent
  /// The peer did not complete a message in time, and was told so.
  case slowMessage
  /// The connection was lost without a closing handshake.
  case lost
}
