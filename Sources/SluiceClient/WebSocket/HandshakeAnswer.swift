public import NIOCore
public import NIOHTTP1

/// What a server answered to the opening handshake.
public struct HandshakeAnswer: Sendable, Equatable {
  public var status: Int
  public var headers: HTTPHeaders
  /// Of a refusal, as far as it came.
  public var body = ByteBuffer()

  public init(status: Int, headers: HTTPHeaders) {
    self.status = status
    self.headers = headers
  }
}

/// Why an answer was not understood.
struct HandshakeError: Error, CustomStringConvertible {
  let description: String
}

extension HandshakeAnswer {
  private static let longest = 16_384

  /// Takes a response's head off `bytes`; nil while it is incomplete.
  init?(reading bytes: inout ByteBuffer) throws(HandshakeError) {
    guard let end = HandshakeAnswer.endOfHead(in: bytes) else {
      guard bytes.readableBytes <= HandshakeAnswer.longest else {
        throw HandshakeError(description: "the answer's head is over \(HandshakeAnswer.longest) bytes")
      }
      return nil
    }
    let head = bytes.readString(length: end)!
    var lines = head.split(separator: "\r\n", omittingEmptySubsequences: true)
    guard !lines.isEmpty else { throw HandshakeError(description: "the answer is empty") }
    let words = lines.removeFirst().split(separator: " ", maxSplits: 2)
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
      (100...999).contains(status)
    else {
      throw HandshakeError(description: "the answer is not HTTP/1")
    }
    var headers = HTTPHeaders()
    for line in lines {
      guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else {
        throw HandshakeError(description: "a header without a colon")
      }
      // `HTTPHeaders` ends the process for such a name.
      guard line[..<colon].utf8.allSatisfy({ $0 < 0x80 }) else {
        throw HandshakeError(description: "a header whose name is not ASCII")
      }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      headers.add(name: String(line[..<colon]), value: String(value))
    }
    self.init(status: status, headers: headers)
  }

  /// How many bytes the head takes with its empty line.
  private static func endOfHead(in bytes: ByteBuffer) -> Int? {
    bytes.withUnsafeReadableBytes { bytes in
      var from = 0
      while let carriage = bytes.offset(of: 0x0d, from: from) {
        if bytes.holds("\r\n\r\n", at: carriage) { return carriage + 4 }
        from = carriage + 1
      }
      return nil
    }
  }
}
