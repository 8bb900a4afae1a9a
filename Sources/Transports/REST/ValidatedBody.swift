public import NIOCore
public import NIOHTTP1

/// A body with its entity tag, so that nobody is sent again what he has.
public struct ValidatedBody: Sendable {
  public let bytes: ByteBuffer
  public let contentType: String
  /// The pages beside this one, for `Link`.
  public let link: String?
  /// Strong: other bytes, or another `link`, have another.
  public let tag: String
  /// The default lets caches keep it, and has them ask each time whether it is still the same.
  public let cacheControl: String

  public init(
    _ bytes: ByteBuffer,
    contentType: String = "application/json",
    link: String? = nil,
    cacheControl: String = "no-cache"
  ) {
    self.bytes = bytes
    self.contentType = contentType
    self.link = link
    self.cacheControl = cacheControl
    let tag = EntityTag.of(bytes)
    self.tag = link.map { EntityTag.of(ByteBuffer(string: tag + $0)) } ?? tag
  }
}

extension Responder {
  /// Answers `200` with the body, or `304` to a client that has it. `headers` are for the `200` alone.
  public func respond(_ body: ValidatedBody, to request: HTTPRequest, headers: HTTPHeaders = [:]) {
    // What a `304` has beside its date: RFC 9110 section 15.4.5.
    var shared: HTTPHeaders = ["ETag": body.tag, "Cache-Control": body.cacheControl]
    // And what the tag is of beside the body, or who keeps the page would not learn of its neighbours.
    if let link = body.link { shared.add(name: "Link", value: link) }
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
    link: String? = nil
  ) {
    respond(ValidatedBody(body, contentType: type, link: link), to: request)
  }
}
