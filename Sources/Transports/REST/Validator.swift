public import NIOCore
public import NIOHTTP1

/// Entity tags (RFC 9110 sections 8.8.3 and 13.1.2).
enum EntityTag {
  /// The strong tag of a body: its bytes by 64-bit FNV-1a.
  static func of(_ body: ByteBuffer) -> String {
    let hash = body.readableBytesView.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3
    }
    return "\"\(String(hash, radix: 36))\""
  }

  /// Whether one of the tags of `If-None-Match` is `tag`, by weak comparison; `*` is any.
  static func matches(_ tag: String, ifNoneMatch fields: [String]) -> Bool {
    fields.contains { field in
      field.split(separator: ",").contains { part in
        let part = part.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
        return part == "*" || part == tag || part.hasPrefix("W/") && part.dropFirst(2) == tag
      }
    }
  }
}

extension Responder {
  /// Answers with a body and its entity tag, or `304` to a client that has it.
  public func respondValidated(
    to request: HTTPRequest,
    _ body: ByteBuffer,
    type: String = "application/json",
    headers: HTTPHeaders = [:]
  ) {
    let tag = EntityTag.of(body)
    var headers = headers
    headers.add(name: "ETag", value: tag)
    headers.add(name: "Cache-Control", value: "no-cache")
    if EntityTag.matches(tag, ifNoneMatch: request.headers[canonicalForm: "If-None-Match"].map(String.init)) {
      return respond(.notModified, headers: headers)
    }
    headers.add(name: "Content-Type", value: type)
    respond(.ok, headers: headers, body: body)
  }
}
