import Framing
import NIOCore

/// What a decoder said about some bytes, however they were cut.
struct DecoderRun: Equatable {
  var events: [WebSocketDecoder.Event] = []
  var violation: WebSocketViolation?
  /// How many of the pieces had been fed when the violation came.
  var piecesBeforeViolation = 0

  static func == (left: DecoderRun, right: DecoderRun) -> Bool {
    left.events == right.events && left.violation == right.violation
  }

  init(
    _ pieces: [[UInt8]],
    role: WebSocketDecoder.Role = .server,
    limit: Int = 1 << 20
  ) {
    var decoder = WebSocketDecoder(role: role, maximumMessageSize: limit)
    for piece in pieces {
      decoder.append(ByteBuffer(bytes: piece))
      do throws(WebSocketViolation) {
        while let event = try decoder.next() { self.events.append(event) }
      } catch {
        self.violation = error
        break
      }
      self.piecesBeforeViolation += 1
    }
  }

  init(_ bytes: [UInt8], role: WebSocketDecoder.Role = .server, limit: Int = 1 << 20) {
    self.init([bytes], role: role, limit: limit)
  }

  /// The same bytes cut in two at every place, and into single bytes.
  static func everySplit(of bytes: [UInt8]) -> [[[UInt8]]] {
    (0...bytes.count).map { [Array(bytes[..<$0]), Array(bytes[$0...])] } + [bytes.map { [$0] }]
  }
}

extension WebSocketDecoder.Event {
  static func text(_ text: String) -> WebSocketDecoder.Event { .message(.text, ByteBuffer(string: text)) }
}
