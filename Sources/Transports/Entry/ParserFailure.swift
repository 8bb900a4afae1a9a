import NIOCore
import NIOHTTP1
import Wire

/// Why what a client sends is no more looked at.
enum ParserFailure {
  case headTooLarge
  case targetTooLong(limit: Int)
  case bodyTooLong
  case otherVersion
  case unknownMethod
  case otherProtocol

  /// - Parameters:
  ///   - input: what the parser could not take, and before it what it had held back: the request's target, or the name or
  ///     the value of a field.
  ///   - headIsWhole: whether the parser was at the end of a head.
  init(_ error: any Error, in input: ByteBuffer, headIsWhole: Bool, limits: HTTPLimits) {
    let lines = HeadLine.all(of: input)
    switch error {
    case HTTPParserError.headerOverflow:
      let long = lines.first { $0.bytes.count > limits.targetLength }
      self = long?.isRequestLine == true ? .targetTooLong(limit: limits.targetLength) : .headTooLarge
    case HTTPParserError.invalidVersion:
      // Some versions are looked at when the head is whole, and the request line may be gone by then.
      let isGone = headIsWhole && !lines.contains(where: \.isRequestLine)
      self = isGone || lines.contains(where: \.hasOtherVersion) ? .otherVersion : .otherProtocol
    case HTTPParserError.invalidMethod, HTTPParserError.invalidConstant:
      self = lines.contains(where: \.hasUnknownMethod) ? .unknownMethod : .otherProtocol
    default:
      self = .otherProtocol
    }
  }

  var problem: Problem {
    switch self {
    case .headTooLarge:
      Problem(.tooLarge, "the request's head is too large", status: .requestHeaderFieldsTooLarge)
    case .targetTooLong(let limit):
      Problem(.tooLarge, "the request target is over \(limit) bytes", status: .uriTooLong)
    case .bodyTooLong:
      Problem(.tooLarge, "the body comes in far more bytes than it may have")
    case .otherVersion:
      Problem(
        .badRequest,
        "the versions of HTTP here are 1.1 and 1.0",
        status: .httpVersionNotSupported
      )
    case .unknownMethod:
      Problem(.methodNotAllowed, "no method of this name is known", status: .notImplemented)
    case .otherProtocol:
      Problem(.badRequest, "this is not HTTP/1")
    }
  }
}

/// A line of what may be a head, for the choice of what its sender is told: nothing else depends on it.
private struct HeadLine {
  let bytes: ByteBufferView
  /// Whether it ends as lines do, or has not ended yet.
  private let endsWell: Bool

  static func all(of input: ByteBuffer) -> [HeadLine] {
    let lines = input.readableBytesView.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.enumerated().map { index, line in
      let hasReturn = line.last == UInt8(ascii: "\r")
      return HeadLine(
        bytes: hasReturn ? line.dropLast() : line,
        endsWell: hasReturn || index == lines.count - 1
      )
    }
  }

  /// Whether it is a request line, maybe without its method.
  var isRequestLine: Bool {
    guard !isField else { return false }
    let words = bytes.split(separator: UInt8(ascii: " "), maxSplits: 2)
    return words.prefix(2).contains { $0.first == UInt8(ascii: "/") || $0.starts(with: "http".utf8) }
  }

  /// Whether it is a field; a target begins as one where a scheme does.
  private var isField: Bool {
    guard let end = bytes.firstIndex(where: { !HeadLine.isTokenByte($0) }), bytes[end] == UInt8(ascii: ":")
    else { return false }
    return !bytes[end...].starts(with: "://".utf8)
  }

  /// Whether it is a request line, maybe without its method, of a version of HTTP that is neither ours nor older.
  var hasOtherVersion: Bool {
    guard let version = version, !isField else { return false }
    return version.major > 1 || version.major == 1 && version.minor > 1
  }

  /// Whether it is a request line of ours save for its method.
  var hasUnknownMethod: Bool {
    guard let version = version, version.major == 1, version.minor <= 1 else { return false }
    let parts = bytes.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(HeadLine.isTokenByte), !parts[1].isEmpty,
      case .RAW = HTTPMethod(rawValue: String(decoding: parts[0], as: UTF8.self))
    else { return false }
    return true
  }

  /// The version at its end, behind a target.
  private var version: (major: UInt8, minor: UInt8)? {
    guard endsWell, bytes.count > 9 else { return nil }
    let last = Array(bytes.suffix(9))
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    guard last.starts(with: " HTTP/".utf8), digits.contains(last[6]), last[7] == UInt8(ascii: "."),
      digits.contains(last[8])
    else { return nil }
    return (last[6] - digits.lowerBound, last[8] - digits.lowerBound)
  }

  /// RFC 9110 section 5.6.2.
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
