public import NIOCore

/// One value of a reply (RESP2).
public enum RedisValue: Sendable, Equatable {
  case null
  case integer(Int)
  /// The bytes share their storage with everything that was read at the same time: copy what is kept for long.
  case bulk(ByteBuffer)
  case status(String)
  /// An error inside an array. As a whole reply an error is a `RedisError` instead.
  case error(RedisServerError)
  case array([RedisValue])
}

/// An error that the server answered.
public struct RedisServerError: Error, Sendable, Equatable {
  /// The first word, such as `ERR`, `NOSCRIPT` or `READONLY`.
  public var prefix: String
  /// What follows it.
  public var message: String

  public init(prefix: String, message: String) {
    self.prefix = prefix
    self.message = message
  }

  /// Splits the line of an error reply.
  init(line: String) {
    let parts = Self.withoutScript(line).split(separator: " ", maxSplits: 1)
    self.prefix = parts.first.map(String.init) ?? ""
    self.message = parts.count > 1 ? String(parts[1]) : ""
  }

  /// What keeps the server from doing it, also where a script was told so: before version 7 Redis answers
  /// `ERR Error running script (call to f_…): @user_script:1: -OOM …` then.
  private static func withoutScript(_ line: String) -> Substring {
    guard line.hasPrefix("ERR Error running script"), let dash = line.firstRange(of: ": -") else {
      return line[...]
    }
    let said = line[dash.upperBound...]
    let word = said.prefix { $0 != " " }
    let isKnown = ["OOM", "READONLY", "MISCONF", "NOREPLICAS", "LOADING"].contains(word)
    return isKnown ? said : line[...]
  }
}

extension RedisValue {
  /// The bytes of a bulk string.
  public var bytes: ByteBuffer? {
    if case .bulk(let bytes) = self { bytes } else { nil }
  }

  /// The text of a bulk string or status.
  public var string: String? {
    switch self {
    case .bulk(let bytes): String(buffer: bytes)
    case .status(let text): text
    default: nil
    }
  }

  /// An integer, also one that came as the text of a bulk string.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .bulk(let bytes): Int(String(buffer: bytes))
    default: nil
    }
  }

  public var array: [RedisValue]? {
    if case .array(let values) = self { values } else { nil }
  }

  public var isNull: Bool {
    if case .null = self { true } else { false }
  }
}
