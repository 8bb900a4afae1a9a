import Framing
import NIOCore
import NIOHTTP1
import Wire

/// The opening handshake (RFC 6455 section 4.1), then frames.
final class WebSocketClientHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private enum State {
    /// Waits for the whole head of the answer.
    case handshaking(received: ByteBuffer)
    case open
    /// Waits for the rest of a refusal's body.
    case refused(HandshakeAnswer, length: Int)
    /// Waits for the end of the TCP connection.
    case ending(WebSocketConnection.Closure)
  }

  /// Of a refusal.
  private static let longestBody = 65_536

  private let connection: WebSocketConnection
  private let key: String
  private var state = State.handshaking(received: ByteBuffer())
  private var decoder: WebSocketDecoder

  init(_ connection: WebSocketConnection) {
    self.connection = connection
    key = Self.randomKey()
    decoder = WebSocketDecoder(role: .client, maximumMessageSize: connection.maximumMessageSize)
  }

  func channelActive(context: ChannelHandlerContext) {
    var request = ByteBuffer()
    request.writeString("GET \(connection.path) HTTP/1.1\r\nHost: \(connection.authority)\r\n")
    request.writeString("Upgrade: websocket\r\nConnection: Upgrade\r\n")
    request.writeString("Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n")
    for (name, value) in connection.headers { request.writeString("\(name): \(value)\r\n") }
    request.writeString("\r\n")
    context.writeAndFlush(Self.wrapOutboundOut(request), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.lastHeard = .now()
    let bytes = Self.unwrapInboundIn(data)
    switch state {
    case .handshaking(var received):
      received.writeImmutableBuffer(bytes)
      handshake(received, context)
    case .open:
      decoder.append(bytes)
      decode(context)
    case .refused(let answer, let length):
      refuse(answer, length: length, bytes, context)
    case .ending:
      break
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    switch state {
    case .handshaking: connection.tell(.closed(.failed("the connection ended before the answer")))
    case .open: connection.tell(.closed(.lost("the connection ended without a close frame")))
    case .refused(let answer, _): connection.tell(.closed(.refused(answer)))
    case .ending(let closure): connection.tell(.closed(closure))
    }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch state {
    case .handshaking: state = .ending(.failed("\(error)"))
    case .open: state = .ending(.lost("\(error)"))
    case .refused(let answer, _): state = .ending(.refused(answer))
    case .ending: break
    }
    connection.stopSending()
    context.close(promise: nil)
  }

  private func handshake(_ received: ByteBuffer, _ context: ChannelHandlerContext) {
    var received = received
    do throws(HandshakeError) {
      guard let answer = try HandshakeAnswer(reading: &received) else {
        state = .handshaking(received: received)
        return
      }
      guard answer.status == 101 else {
        let length = answer.headers.first(name: "Content-Length").flatMap { Int($0) } ?? Self.longestBody
        return refuse(answer, length: min(length, Self.longestBody), received, context)
      }
      guard answer.headers["Sec-WebSocket-Accept"] == [WebSocketHandshake.acceptKey(for: key)],
        answer.headers.first(name: "Upgrade")?.lowercased() == "websocket"
      else {
        throw HandshakeError(description: "the answer accepts another handshake")
      }
      state = .open
      connection.tell(.opened(answer))
      if received.readableBytes > 0 {
        decoder.append(received)
        decode(context)
      }
    } catch {
      end(.failed(error.description), context)
    }
  }

  /// Takes the body of a refusal, which says why; it has two seconds to come.
  private func refuse(
    _ answer: HandshakeAnswer,
    length: Int,
    _ bytes: ByteBuffer,
    _ context: ChannelHandlerContext
  ) {
    var answer = answer
    var bytes = bytes
    let missing = length - answer.body.readableBytes
    if let part = bytes.readSlice(length: min(missing, bytes.readableBytes)) {
      answer.body.writeImmutableBuffer(part)
    }
    guard answer.body.readableBytes < length else { return end(.refused(answer), context) }
    if case .handshaking = state {
      let channel = context.channel
      context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
    }
    state = .refused(answer, length: length)
  }

  private func decode(_ context: ChannelHandlerContext) {
    do throws(WebSocketViolation) {
      while case .open = state, let event = try decoder.next() {
        switch event {
        // None was agreed, so the decoder lets none through.
        case .compressed: break
        case .message(.text, let payload): connection.tell(.text(payload))
        case .message(.binary, let payload): connection.tell(.binary(payload))
        case .ping(let payload):
          reply(context) { WebSocketFrame.write(.pong, payload: payload, mask: .random(), into: &$0) }
          connection.tell(.ping)
        case .pong(let payload): connection.tell(.pong(payload))
        case .close(let code, let reason):
          closeArrived(code?.rawValue, reason, context)
        }
      }
    } catch {
      reply(context) {
        WebSocketFrame.writeClose(code: error.closeCode, reason: error.reason, mask: .random(), into: &$0)
      }
      end(.lost("the server broke the protocol: \(error.reason)"), context)
    }
  }

  /// The server closes the TCP connection (RFC 6455 section 7.1.1); one that does not is cut.
  private func closeArrived(_ code: UInt16?, _ reason: String, _ context: ChannelHandlerContext) {
    state = .ending(.closed(code: code, reason: reason))
    if connection.isOpen {
      connection.stopSending()
      reply(context) {
        WebSocketFrame.writeClose(code: code.map { CloseCode(rawValue: $0) }, mask: .random(), into: &$0)
      }
    }
    let channel = context.channel
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(2)) { channel.close(promise: nil) }
  }

  private func end(_ closure: WebSocketConnection.Closure, _ context: ChannelHandlerContext) {
    state = .ending(closure)
    connection.stopSending()
    context.close(promise: nil)
  }

  private func reply(_ context: ChannelHandlerContext, _ write: (inout ByteBuffer) -> Void) {
    var frame = ByteBuffer()
    write(&frame)
    context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
  }

  /// Base64 of 16 bytes of chance: the last character before the padding stands for two bits.
  private static func randomKey() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    let characters = (0..<21).map { _ in alphabet.randomElement()! } + [Array("AQgw".utf8).randomElement()!]
    return String(decoding: characters, as: UTF8.self) + "=="
  }
}

@available(*, unavailable)
extension WebSocketClientHandler: Sendable {}
