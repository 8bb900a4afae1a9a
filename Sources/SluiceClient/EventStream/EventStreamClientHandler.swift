import NIOCore
import NIOHTTP1

/// Asks for an event stream and takes it apart.
final class EventStreamClientHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private enum State {
    case waiting
    case streaming
    /// Collects the body of an answer that is no stream.
    case refused(HTTPResponse)
    case ended(EventStreamConnection.Closure)
  }

  /// Of the body of a refusal.
  private static let longestBody = 65_536

  private let connection: EventStreamConnection
  private let head: HTTPRequestHead
  private var state = State.waiting
  private var parser = EventStreamParser()

  init(_ connection: EventStreamConnection, _ head: HTTPRequestHead) {
    self.connection = connection
    self.head = head
  }

  func channelActive(context: ChannelHandlerContext) {
    context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    connection.lastHeard = .now()
    switch (Self.unwrapInboundIn(data), state) {
    case (.head(let head), .waiting):
      let type = head.headers.first(name: "Content-Type")?.prefix { $0 != ";" }
      if head.status == .ok, type?.lowercased() == "text/event-stream" {
        state = .streaming
        connection.tell(.opened(head))
      } else {
        state = .refused(HTTPResponse(status: head.status, headers: head.headers))
      }
    case (.body(let bytes), .streaming):
      take(bytes, context)
    case (.body(let bytes), .refused(var response)):
      if response.body.readableBytes + bytes.readableBytes <= Self.longestBody {
        response.body.writeImmutableBuffer(bytes)
        state = .refused(response)
      }
    case (.end, .streaming):
      end(.ended, context)
    case (.end, .refused(let response)):
      end(.refused(response), context)
    default: break
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    switch state {
    case .waiting: connection.tell(.closed(.failed("the connection ended before the answer")))
    case .streaming: connection.tell(.closed(.lost("the connection ended in the middle of the stream")))
    case .refused(let response): connection.tell(.closed(.refused(response)))
    case .ended(let closure): connection.tell(.closed(closure))
    }
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch state {
    case .waiting: end(.failed("\(error)"), context)
    case .streaming: end(.lost("\(error)"), context)
    case .refused(let response): end(.refused(response), context)
    case .ended: context.close(promise: nil)
    }
  }

  private func take(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
    parser.append(bytes)
    do throws(EventStreamParser.TooLong) {
      while case .streaming = state, let item = try parser.next() { connection.tell(.item(item)) }
    } catch {
      end(.lost("an event is over \(parser.limit) bytes"), context)
    }
  }

  private func end(_ closure: EventStreamConnection.Closure, _ context: ChannelHandlerContext) {
    state = .ended(closure)
    context.close(promise: nil)
  }
}

@available(*, unavailable)
extension EventStreamClientHandler: Sendable {}
