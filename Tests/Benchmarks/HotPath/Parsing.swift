import Framing
import NIOCore
import Wire

/// Bytes to meaning, with no socket.
enum Parsing {
  /// A client's frame: unmasked, checked, its JSON read.
  static func countCommands() throws {
    let frame = ByteBuffer(
      bytes: Client.frame(
        #"{"type":"publish","id":17,"channel":"room:lobby","data":{"text":"hello, all"}}"#,
        mask: [0x37, 0xfa, 0x21, 0x3d]
      )
    )
    var decoder = WebSocketDecoder(role: .server, maximumMessageSize: 65_536)
    func decode(_ number: Int) throws {
      for _ in 0..<number {
        decoder.append(ByteBuffer(buffer: frame))
        guard case .message(.text, let payload) = try decoder.next(), try decoder.next() == nil,
          case .publish = try ClientRequest(parsing: payload).command
        else { throw Miscount(description: "a client's frame was not understood") }
      }
    }
    try decode(10)
    for operations in [500, 1_500] {
      try Count(name: "command", operations: operations).run { try decode(operations) }
    }
  }
}
