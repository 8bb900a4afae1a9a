public import NIOCore

/// One argument of a command.
public enum RedisArgument: Sendable, Equatable {
  case string(String)
  case bytes(ByteBuffer)
  case integer(Int)
}

extension RedisArgument: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  public init(stringLiteral value: String) { self = .string(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
}

extension ByteBuffer {
  fileprivate mutating func writeArgument(_ argument: RedisArgument) -> Int {
    switch argument {
    case .string(let text): writeString(text)
    case .bytes(let bytes): writeImmutableBuffer(bytes)
    case .integer(let number): writeString(String(number))
    }
  }
}

/// Formats commands, by hiredis. Keeps its working memory from one command to the next.
struct RedisCommandFormatter {
  /// Bytes of one command's arguments.
  static let limit = 256 << 20

  private var scratch = ByteBuffer()
  private var lengths: [Int] = []

  /// Appends a command to `out`. False, and nothing appended, when it is too long.
  mutating func format(_ arguments: [RedisArgument], into out: inout ByteBuffer) -> Bool {
    scratch.clear(minimumCapacity: 0)
    lengths.removeAll(keepingCapacity: true)
    for argument in arguments {
      lengths.append(scratch.writeArgument(argument))
      guard scratch.readableBytes <= Self.limit else {
        scratch = ByteBuffer()
        return false
      }
    }
    defer { if scratch.capacity > 1 << 20 { scratch = ByteBuffer() } }
    return RedisCommandBytes.append(scratch, lengths: lengths, to: &out)
  }
}
