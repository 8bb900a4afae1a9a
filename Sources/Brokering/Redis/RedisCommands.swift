import NIOCore

/// The commands of one node to others that are under way, and who carries out those that come.
struct RedisCommands {
  typealias Done = @Sendable (Result<ByteBuffer, BrokerError>) -> Void

  /// One command of ours.
  struct Asked {
    let incarnation: String
    let until: NIODeadline
    let done: Done
    /// Somebody hears the name it was published to.
    var isHeard = false
  }

  var carryOut: (@Sendable (ByteBuffer) async -> ByteBuffer)?
  var asked: [UInt64: Asked] = [:]
  private var last: UInt64 = 0

  /// A number for the next command.
  mutating func take() -> UInt64 {
    last += 1
    return last
  }
}

/// What is published to a node: `C incarnation number` when a command waits for it, left by that node, and
/// `A number answer` when its own was answered.
enum RedisCommandNotice {
  case waiting(number: UInt64, from: String)
  case answer(number: UInt64, ByteBuffer)

  init?(_ payload: ByteBuffer) {
    var payload = payload
    let kind = payload.readInteger(as: UInt8.self)
    guard payload.readInteger(as: UInt8.self) == UInt8(ascii: " "),
      let space = payload.readableBytesView.firstIndex(of: UInt8(ascii: " ")),
      let word = payload.readString(length: space - payload.readerIndex)
    else { return nil }
    payload.moveReaderIndex(forwardBy: 1)
    switch kind {
    case UInt8(ascii: "C"):
      guard let number = UInt64(String(buffer: payload)) else { return nil }
      self = .waiting(number: number, from: word)
    case UInt8(ascii: "A"):
      guard let number = UInt64(word) else { return nil }
      self = .answer(number: number, payload)
    default: return nil
    }
  }

  static func waiting(_ number: UInt64, from incarnation: String) -> String { "C \(incarnation) \(number)" }

  static func answer(_ number: UInt64, _ answer: ByteBuffer) -> ByteBuffer {
    var payload = ByteBuffer(string: "A \(number) ")
    payload.writeImmutableBuffer(answer)
    return payload
  }
}
