import NIOCore
import NIOHTTP1
import Wire

@testable import Transports

extension FuzzTarget {
  /// What a request says beside its body: target, query and headers. The input's lines are the target and the
  /// values of the headers, in the order of `names`.
  static let requestParameters = FuzzTarget(
    "request-parameters",
    longest: 700,
    words: [
      "/v1/stream?", "/v1/poll?", "http://a/", "https://", "channels=", "&since=", "&before=", "&limit=",
      "&wait=",
      "&after=", "&presence=", "join", "watch", "start", "abcdefgh.1", "a:b@abcdefgh.7", "%2C", "%40", "%",
      "+", "#",
      "*", "\n", "application/json", "; charset=utf-8", "W/\"a\"", "\"a\"", "Bearer ", ",",
    ]
  ) { input in
    var lines = String(decoding: input, as: UTF8.self).split(
      separator: "\n",
      omittingEmptySubsequences: false
    )[...]
    guard let target = RequestTarget(String(lines.removeFirst())) else { return }
    try target.demandIsSound()
    let names = [
      "Last-Event-ID", "Idempotency-Key", "Content-Type", "If-None-Match", "Authorization", "X-Forwarded-For",
    ]
    let request = HTTPRequest(
      method: .GET,
      version: .http1_1,
      headers: HTTPHeaders(zip(names, lines.map(String.init)).map { ($0, $1) }),
      path: target.path,
      parameters: PathParameters(),
      query: target.query,
      body: ByteBuffer(),
      peer: nil
    )
    try request.demandIsSound()
  }
}

extension RequestTarget {
  fileprivate func demandIsSound() throws {
    if isAsterisk { return }
    let path = segments.map { "/" + PercentEncoding.everything(in: $0) }.joined()
    let again = try required(RequestTarget(path.isEmpty ? "/" : path), "a path that cannot be read again")
    try demandSame(again.segments, segments, "encoded, the path is another")
    for segment in segments {
      try demandSame(
        PercentEncoding.decode(Substring(PercentEncoding.everything(in: segment))),
        segment,
        "escapes"
      )
    }
  }
}

extension PercentEncoding {
  fileprivate static func everything(in text: String) -> String {
    text.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension HTTPRequest {
  fileprivate func demandIsSound() throws {
    if let channels = try? channels(atMost: 5) {
      try demand((1...5).contains(channels.count), "the count of channels")
      try demandSame(Set(channels).count, channels.count, "a channel twice")
      for channel in channels { try channel.demandIsChannel() }
    }
    if let limit = try? limit { try demand((1...1_000).contains(limit), "a limit") }
    if let wait = try? pollWait { try demand((.zero ... .seconds(55)).contains(wait), "a wait") }
    if let after = try? after { try demand(Session.isMember(after), "a member") }
    if case .before(let cursor)? = try? historyRange { try cursor.demandIsCursor() }
    for since in [try? sinceSet, try? streamSince] {
      guard let since else { continue }
      try demandSame(SinceSet(since.description), since, "a position that is read as another")
    }
    if let key = try? idempotencyKey {
      try demand((1...ClientRequest.maximumKeyLength).contains(key.utf8.count), "the length of a key")
      try demand(!key.contains { $0.isNewline || !$0.isASCII }, "a key that is not printable")
    }
    _ = try? presenceWish
    _ = contentProblem
    for field in headers["Content-Type"] {
      guard let type = MediaType(field) else { continue }
      try demandSame(MediaType(type.essence)?.essence, type.essence, "a media type")
    }
    let tags = headers["If-None-Match"]
    if EntityTag.matches("\"a\"", ifNoneMatch: tags) {
      try demand(tags.contains { $0.contains("\"a\"") || $0.contains("*") }, "a tag that is not there")
    }
    try demand(EntityTag.matches("\"a\"", ifNoneMatch: ["\"b\", \"a\""]), "a tag that is there")
    if let token = bearerToken { try demand(!token.isEmpty, "a token of nothing") }
    _ = forwardedAddress
  }
}
