import NIOCore
import NIOHTTP1
import Wire

extension HTTPRequest {
  /// Why the body cannot be taken for JSON, by what the request says of it.
  ///
  /// JSON is what calls itself so, and also what says nothing, a text (`navigator.sendBeacon`) and a form (what
  /// `curl -d` says unless told otherwise): what it is then shows when it is read.
  var contentProblem: Problem? {
    let codings = headers[canonicalForm: "Content-Encoding"].filter { $0.lowercased() != "identity" }
    guard codings.isEmpty else {
      return Problem(
        .badRequest,
        "Content-Encoding: a body is taken as it is, without a coding",
        status: .unsupportedMediaType,
        headers: ["Accept-Encoding": "identity"]
      )
    }
    let types = headers["Content-Type"]
    guard types.count <= 1, types.allSatisfy({ MediaType($0)?.mayBeJSON == true }) else {
      return Problem(
        .badRequest,
        "Content-Type: the body is one JSON value in UTF-8, application/json",
        status: .unsupportedMediaType,
        headers: ["Accept": "application/json"]
      )
    }
    return nil
  }
}

/// What a `Content-Type` says (RFC 9110 section 8.3.1).
struct MediaType: Equatable {
  /// In lower case, without parameters.
  let essence: String
  /// In lower case.
  let charset: String?

  /// Nil when it is malformed.
  init?(_ field: String) {
    var parts = field.split(separator: ";", omittingEmptySubsequences: false).map(MediaType.trimmed)
    essence = parts.removeFirst().lowercased()
    let names = essence.split(separator: "/", omittingEmptySubsequences: false)
    guard names.count == 2, names.allSatisfy({ !$0.isEmpty && !$0.contains(" ") }) else { return nil }
    let charsets = parts.filter { $0.lowercased().hasPrefix("charset=") }
    guard charsets.count <= 1 else { return nil }
    charset = charsets.first.map { value in
      value.dropFirst("charset=".count).lowercased().filter { $0 != "\"" }
    }
  }

  var mayBeJSON: Bool {
    switch essence {
    case "application/json", "text/json", "text/plain", "application/x-www-form-urlencoded": break
    default: guard essence.hasSuffix("+json") else { return false }
    }
    return charset == nil || charset == "utf-8" || charset == "us-ascii"
  }

  private static func trimmed(_ part: Substring) -> Substring {
    let start = part.drop { $0 == " " || $0 == "\t" }
    guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
    return start[...last]
  }
}
