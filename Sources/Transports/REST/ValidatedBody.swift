public import NIOCore
public import NIOHTTP1

/// A body with its entity tag, so that nobody is sent again what he has.
public struct ValidatedBody: Sendable {
  public let bytes: ByteBuffer
  public let contentType: String
  /// Strong: other bytes have another.
  public let tag: String
  /// The default lets caches keep it, and has them ask each time whether it is still the same.
  public let cacheControl: String

  public init(
    _ bytes: ByteBuffer,
    contentType: String = "application/json",
    cacheControl: String = "no-cache"
  ) {
    self.bytes = bytes
    self.contentType = contentType
    self.cacheControl = cacheControl
    tag = EntityTag.of(bytes)
  }
}

extension Responder {
  /// Answers `200` with the body, or `304` to a client that has it. `headers` are for the `200` alone.
  public func respond(_ body: ValidatedBody, to request: HTTPRequest, headers: HTTPHeaders = [:]) {
    // What a `304` has beside its date: RFC 9110 section 15.4.5.
    let shared: HTTPHeaders = ["ETag": body.tag, "Cache-Control": body.cacheControl]
    if EntityTag.matches(body.tag, ifNoneMatch: request.headers["If-None-Match"]) {
      return respond(.notModified, headers: shared)
    }
    var headers = headers
    headers.add(contentsOf: shared)
    headers.add(name: "Content-Type", value: body.contentType)
    respond(.ok, headers: headers, body: body.bytes)
  }

  /// The same with a body that is made for this answer, or whose tag is not worth keeping.
  public func respondValidated(
    to request: HTTPRequest,
    _ body: ByteBuffer,
    type: String = "application/json",
    headers: HTTPHeaders = [:]
  ) {
    respond(ValidatedBody(body, contentType: type), to: request, headers: headers)
  }
}
