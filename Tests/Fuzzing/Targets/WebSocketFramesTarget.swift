import Framing
import NIOCore
import Wire

extension FuzzTarget {
  /// The WebSocket codec, either end, with compressed messages or without: the first byte says which.
  static let webSocketFrames = FuzzTarget("websocket-frames", longest: 1_200) { input in
    let role: WebSocketDecoder.Role = (input.first ?? 0) & 1 == 0 ? .server : .client
    let bytes = Array(input.dropFirst())
    let takesCompressed = (input.first ?? 0) & 2 != 0
    let runs = Pieces.ways(bytes).map { FrameRun($0, role: role, takesCompressed: takesCompressed) }
    let run = runs[0]
    for other in runs.dropFirst() { try demandSame(run, other, "cut otherwise, it is something else") }

    for (index, event) in run.events.enumerated() {
      switch event {
      case .message(let kind, let payload):
        try demand(payload.readableBytes <= FrameRun.limit, "a message over the limit")
        if kind == .text {
          let text = String(validating: payload.readableBytesView, as: UTF8.self)
          try demand(text != nil, "a text that is no UTF-8")
        }
      case .compressed(_, let payload):
        try demand(takesCompressed, "a compressed message that was not agreed to")
        try demand(payload.readableBytes <= FrameRun.limit, "a message over the limit")
      case .ping(let payload), .pong(let payload):
        try demand(payload.readableBytes <= 125, "a control frame over 125 bytes")
      case .close(let code, let reason):
        try demand(index == run.events.count - 1, "something after the close")
        try demand(run.violation == nil, "a violation after the close")
        try demand(code?.mayBeReceived ?? true, "a code that may not be sent")
        try demand(reason.utf8.count <= WebSocketFrame.longestCloseReason, "a reason too long")
      }
    }

    var frames = ByteBuffer()
    for event in run.events { event.write(role == .server ? WebSocketMask(0xa1b2_c3d4) : nil, into: &frames) }
    let again = FrameRun([frames], role: role, takesCompressed: takesCompressed)
    try demandSame(again.events, run.events, "written anew, it is read as something else")
    try demand(again.violation == nil, "written anew, it is refused")
  }
}

/// What a decoder made of some bytes.
private struct FrameRun: Equatable {
  static let limit = 300

  var events: [WebSocketDecoder.Event] = []
  var violation: WebSocketViolation?
  var isInsideMessage = false

  init(_ pieces: [ByteBuffer], role: WebSocketDecoder.Role, takesCompressed: Bool) {
    var decoder = WebSocketDecoder(
      role: role,
      maximumMessageSize: FrameRun.limit,
      takesCompressed: takesCompressed
    )
    for piece in pieces {
      decoder.append(piece)
      do throws(WebSocketViolation) {
        while let event = try decoder.next() { events.append(event) }
      } catch {
        violation = error
      }
    }
    isInsideMessage = decoder.isInsideMessage
  }
}

extension WebSocketDecoder.Event {
  fileprivate func write(_ mask: WebSocketMask?, into frames: inout ByteBuffer) {
    switch self {
    case .message(let kind, let payload):
      WebSocketFrame.write(kind.opcode, payload: payload, mask: mask, into: &frames)
    case .compressed(let kind, let payload):
      let start = frames.writerIndex
      WebSocketFrame.write(kind.opcode, payload: payload, mask: mask, into: &frames)
      // The first reserved bit (RFC 7692 section 6).
      frames.setInteger(UInt8(0xc0) | kind.opcode.rawValue, at: start)
    case .ping(let payload): WebSocketFrame.write(.ping, payload: payload, mask: mask, into: &frames)
    case .pong(let payload): WebSocketFrame.write(.pong, payload: payload, mask: mask, into: &frames)
    case .close(let code, let reason):
      WebSocketFrame.writeClose(code: code, reason: reason, mask: mask, into: &frames)
    }
  }
}
