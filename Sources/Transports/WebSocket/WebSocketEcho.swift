import Framing
import NIOCore

/// Sends every data message back as it came: the codec alone, for conformance suites.
final class WebSocketEcho: WebSocketOwner {
  /// A payload up to this size is copied behind its header, a larger one is written beside it.
  private static let longestCopiedPayload = 4 * 1024

  func opened(_ connection: WebSocketConnection<WebSocketEcho>) {}

  func messageArrived(
    _ kind: WebSocketDecoder.MessageKind,
    _ payload: ByteBuffer,
    on connection: WebSocketConnection<WebSocketEcho>
  ) {
    var frame = ByteBuffer()
    if payload.readableBytes <= Self.longestCopiedPayload {
      WebSocketFrame.write(kind.opcode, payload: payload, into: &frame)
      connection.write(frame)
    } else {
      WebSocketFrame.writeHeader(kind.opcode, payloadLength: payload.readableBytes, into: &frame)
      connection.write(frame)
      connection.write(payload)
    }
  }

  func writabilityChanged(_ isWritable: Bool, on connection: WebSocketConnection<WebSocketEcho>) {}

  func closed(_ connection: WebSocketConnection<WebSocketEcho>, because reason: WebSocketEnd) {}
}

@available(*, unavailable)
extension WebSocketEcho: Sendable {}
