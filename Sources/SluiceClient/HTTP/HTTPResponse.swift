public import NIOCore
public import NIOHTTP1
import Wire

/// One whole answer.
public struct HTTPResponse: Sendable, Equatable {
  public var status: HTTPResponseStatus
  public var headers: HTTPHeaders
  public var body = ByteBuffer()

  public init(status: HTTPResponseStatus, headers: HTTPHeaders = [:], body: ByteBuffer = ByteBuffer()) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// What `Retry-After` asks for, where it says seconds.
  public var retryAfter: TimeAmount? {
    headers.first(name: "Retry-After").flatMap { Int64($0) }.map { .seconds(max(0, min($0, 3_600))) }
  }
}

extension HTTPResponse {
  /// `code` and `detail` of a problem (RFC 9457), where the body is one.
  var problem: (code: String, detail: String)? {
    guard headers.first(name: "Content-Type")?.hasPrefix("application/problem+json") == true,
      let object = try? JSONObject(body), let code = object["code"]?.string
    else { return nil }
    return (code, object["detail"]?.string ?? object["title"]?.string ?? code)
  }

  /// Whether the server does not offer what was asked for.
  var isTransportDisabled: Bool {
    status == .forbidden && problem.flatMap { ErrorCode(rawValue: $0.code) } == .transportDisabled
  }

  /// For a person.
  var summary: String {
    "\(status.code) \(problem.map { "\($0.code): \($0.detail)" } ?? status.reasonPhrase)"
  }
}

/// One whole request.
public struct HTTPRequest: Sendable, Equatable {
  public var method: HTTPMethod
  /// With its query.
  public var path: String
  public var headers: HTTPHeaders
  public var body: ByteBuffer

  public init(
    _ method: HTTPMethod,
    _ path: String,
    headers: HTTPHeaders = [:],
    body: ByteBuffer = ByteBuffer()
  ) {
    self.method = method
    self.path = path
    self.headers = headers
    self.body = body
  }
}

/// Why there is no answer. Whether the request was carried out is unknown.
public struct HTTPFailure: Error, Sendable, CustomStringConvertible {
  public let description: String
  /// There was not even a connection.
  public let isUnreachable: Bool

  init(_ description: String, isUnreachable: Bool = false) {
    self.description = description
    self.isUnreachable = isUnreachable
  }
}
