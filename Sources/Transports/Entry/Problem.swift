public import NIOCore
public import NIOHTTP1
public import Wire

/// An error as an HTTP answer: `application/problem+json` (RFC 9457) with the code of the one table of errors.
public struct Problem: Sendable {
  public var error: ClientError
  /// The table's status unless a closer one is known.
  public var status: HTTPResponseStatus
  /// Headers beside those that every problem has.
  public var headers: HTTPHeaders

  public init(_ error: ClientError, status: HTTPResponseStatus? = nil, headers: HTTPHeaders = [:]) {
    self.error = error
    self.status = status ?? HTTPResponseStatus(statusCode: Int(error.code.rule.httpStatus))
    self.headers = headers
  }

  public init(
    _ code: ErrorCode,
    _ message: String,
    status: HTTPResponseStatus? = nil,
    headers: HTTPHeaders = [:]
  ) {
    self.init(ClientError(code, message), status: status, headers: headers)
  }

  /// With `Retry-After` in whole seconds where a retry makes sense, and the challenge a `401` needs.
  public var allHeaders: HTTPHeaders {
    var headers = self.headers
    headers.add(name: "Content-Type", value: "application/problem+json")
    headers.add(name: "Cache-Control", value: "no-store")
    if let milliseconds = self.error.retryAfterMS {
      headers.add(name: "Retry-After", value: String(max(1, (milliseconds + 999) / 1000)))
    }
    if self.status == .unauthorized, !headers.contains(name: "WWW-Authenticate") {
      headers.add(name: "WWW-Authenticate", value: "Bearer")
    }
    return headers
  }

  public var body: ByteBuffer {
    var buffer = ByteBuffer()
    buffer.writeStaticString(#"{"type":"about:blank","title":"#)
    buffer.writeJSONString(self.status.reasonPhrase)
    buffer.writeStaticString(#","status":"#)
    buffer.writeDecimal(self.status.code)
    buffer.writeStaticString(#","detail":"#)
    buffer.writeJSONString(self.error.message)
    buffer.writeStaticString(#","code":"#)
    buffer.writeJSONString(self.error.code.rawValue)
    if let milliseconds = self.error.retryAfterMS {
      buffer.writeStaticString(#","retry_after_ms":"#)
      buffer.writeDecimal(milliseconds)
    }
    buffer.writeStaticString("}\n")
    return buffer
  }
}
