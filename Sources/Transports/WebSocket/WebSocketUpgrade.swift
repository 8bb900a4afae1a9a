import Framing
import NIOCore
import NIOHTTP1
import Wire

/// From a request to an open WebSocket.
enum WebSocketUpgrade {
  /// Answers a request for a WebSocket: with `101` and a connection, or with what its handshake lacks.
  /// - Parameter makeOwner: called when the handshake is good and the client still there, with how messages are
  ///   compressed, if they are; its owner is told that the connection is open before anything that the client has sent.
  static func perform<Owner: WebSocketOwner>(
    _ request: HTTPRequest,
    _ responder: Responder,
    settings: WebSocketSettings,
    makeOwner: (CompressionTerms?) -> Owner
  ) {
    switch WebSocketHandshake.decide(
      method: request.method,
      version: request.version,
      headers: request.headers
    ) {
    case .refuse(let status, let headers, let message):
      let code: ErrorCode = status == .methodNotAllowed ? .methodNotAllowed : .badRequest
      responder.respond(Problem(code, message, status: status, headers: headers))
    case .accept(let key, let subprotocol):
      var headers: HTTPHeaders = [
        "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": key,
      ]
      if let subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
      let terms = settings.compresses ? CompressionTerms(offeredIn: request.headers) : nil
      if let terms { headers.add(name: "Sec-WebSocket-Extensions", value: terms.description) }
      responder.takeOver(headers: headers) {
        WebSocketConnection(
          owner: makeOwner(terms),
          settings: settings,
          wheel: responder.loop.wheel,
          turns: responder.loop.turns,
          unread: responder.loop.unread,
          inflater: terms == nil ? nil : responder.loop.inflater
        )
      }
    }
  }
}
