public import NIOCore
public import NIOHTTP1

/// The head of an HTTP/1 response (RFC 9112), written by hand: there is no encoder in the pipeline.
///
/// What frames the message (`Content-Length`, `Transfer-Encoding`), `Date` and, unless given, `Connection` are
/// its own; fields of those names among `headers` are left out, so that a head is never framed in two ways.
public struct ResponseHead: Sendable {
  /// How the receiver finds the end of the body (RFC 9112 section 6.3).
  public enum Body: Hashable, Sendable {
    /// The status has no body by definition: 1xx, 204, 304.
    case none
    /// So many bytes follow; for the answer to a HEAD, would follow.
    case length(Int)
    /// Chunks follow, see ``ChunkedBody``. Not for HTTP/1.0.
    case chunked
    /// Everything until the connection closes is the body.
    case untilClose
  }

  public var version: HTTPVersion
  public var status: HTTPResponseStatus
  public var headers: HTTPHeaders
  public var body: Body
  /// Whether the connection serves another request afterwards. Never true with ``Body/untilClose``.
  public var keepsAlive: Bool

  public init(
    version: HTTPVersion = .http1_1,
    status: HTTPResponseStatus,
    headers: HTTPHeaders = HTTPHeaders(),
    body: Body,
    keepsAlive: Bool
  ) {
    self.version = version
    self.status = status
    self.headers = headers
    self.body = body
    self.keepsAlive = keepsAlive && body != .untilClose
  }

  /// Appends the head, with its empty line.
  public func write(date: HTTPDate, into buffer: inout ByteBuffer) {
    let reason = self.status.reasonPhrase
    let date = date.now()
    var longest = 128 + reason.utf8.count + date.utf8.count
    for (name, value) in self.headers { longest += name.utf8.count + value.utf8.count + 4 }
    // In one piece: each write of its own asks whether the buffer is shared, and whether there is room.
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: longest) { room in
      var head = ResponseHeadBytes(room)
      head.append(self.version == .http1_0 ? "HTTP/1.0 " : "HTTP/1.1 ")
      head.append(number: self.status.code)
      head.append(" ")
      head.append(value: reason)
      var hasConnection = false
      for (name, value) in self.headers {
        guard Self.isToken(name), let owner = Owner(of: name) else { continue }
        if owner == .connection { hasConnection = true }
        head.append("\r\n")
        head.append(value: name)
        head.append(": ")
        head.append(value: value)
      }
      head.append("\r\nDate: ")
      head.append(value: date)
      if !hasConnection { self.writeConnection(into: &head) }
      self.writeFraming(into: &head)
      head.append("\r\n\r\n")
      return head.count
    }
  }

  /// RFC 9112 section 9.3: 1.1 stays open unless told, 1.0 closes unless told.
  private func writeConnection(into head: inout ResponseHeadBytes) {
    if !self.keepsAlive {
      head.append("\r\nConnection: close")
    } else if self.version == .http1_0 {
      head.append("\r\nConnection: keep-alive")
    }
  }

  private func writeFraming(into head: inout ResponseHeadBytes) {
    switch self.body {
    case .none, .untilClose:
      break
    case .length(let length):
      head.append("\r\nContent-Length: ")
      head.append(number: UInt(length))
    case .chunked:
      head.append("\r\nTransfer-Encoding: chunked")
    }
  }

  /// Who says what a field contains; nil for those that only the head itself may write.
  private enum Owner {
    case caller
    case connection

    init?(of name: String) {
      // Only a name of one of their lengths is worth its small letters.
      guard [4, 10, 14, 17].contains(name.utf8.count) else {
        self = .caller
        return
      }
      switch name.lowercased() {
      case "content-length", "transfer-encoding", "date": return nil
      case "connection": self = .connection
      default: self = .caller
      }
    }
  }

  private static func isToken(_ name: String) -> Bool {
    !name.isEmpty
      && name.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
      }
  }
}
