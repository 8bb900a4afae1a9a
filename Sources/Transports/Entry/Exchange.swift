import NIOHTTP1

/// What of a request decides how its answer is framed.
struct Exchange: Equatable {
  var version = HTTPVersion.http1_1
  /// The answer has the head of a `GET` and no body.
  var isHead = false
  /// Whether the client and we can do another request on this connection afterwards.
  var keepsAlive = false
  /// What every answer to it has beside its own headers.
  var headers = HTTPHeaders()
}
