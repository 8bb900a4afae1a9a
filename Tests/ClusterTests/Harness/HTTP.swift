import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

/// Single requests.
enum HTTP {
  static func send(
    _ request: HTTPRequest,
    to endpoint: Endpoint,
    timeout: TimeAmount = .seconds(10)
  ) async throws -> HTTPResponse {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let connection = try await Confined(on: loop) { HTTPConnection(to: endpoint, on: $0) }
    let answer = loop.makePromise(of: HTTPResponse.self)
    connection.use(soon: { connection in
      connection.send(request, timeout: timeout) { result in
        connection.close()
        answer.completeWith(result.mapError { $0 as any Error })
      }
    })
    return try await answer.futureResult.get()
  }

  static func get(
    _ endpoint: Endpoint,
    _ path: String,
    headers: HTTPHeaders = [:]
  ) async throws -> HTTPResponse {
    try await send(HTTPRequest(.GET, path, headers: headers), to: endpoint)
  }

  static func publish(
    _ channel: String,
    _ data: String,
    key: String? = nil,
    to endpoint: Endpoint
  ) async throws -> HTTPResponse {
    var headers: HTTPHeaders = ["Content-Type": "application/json"]
    if let key { headers.add(name: "Idempotency-Key", value: key) }
    let path = "/v1/channels/\(channel)/messages"
    return try await send(
      HTTPRequest(.POST, path, headers: headers, body: ByteBuffer(string: data)),
      to: endpoint
    )
  }

  /// One poll; `query` is what follows `channels=…`, without a `&` at its beginning.
  static func poll(
    _ endpoint: Endpoint,
    _ channels: String,
    _ query: String,
    headers: HTTPHeaders = [:]
  ) async throws -> HTTPResponse {
    let request = HTTPRequest(.GET, "/v1/poll?channels=\(channels)&\(query)", headers: headers)
    return try await send(request, to: endpoint, timeout: .seconds(65))
  }

  /// Publishes in one request to an operator listener: each of `data` to all of the channels, in this order.
  static func publish(
    _ data: [String],
    toAll channels: [ChannelName],
    by operating: Endpoint
  ) async throws -> [(channel: ChannelName, cursor: Cursor)] {
    let names = channels.map { "\"\($0)\"" }.joined(separator: ",")
    let publications = data.map { "{\"channels\":[\(names)],\"data\":\($0)}" }.joined(separator: ",")
    let body = ByteBuffer(string: "{\"publications\":[\(publications)]}")
    let request = HTTPRequest(
      .POST,
      "/v1/publish",
      headers: ["Content-Type": "application/json"],
      body: body
    )
    let response = try await send(request, to: operating, timeout: .seconds(60))
    let results = try #require(response.object?["results"]?.elements, "\(response.text)")
    return try results.map { result in
      let object = try #require(result.object)
      let channel = try #require(object["channel"]?.string.flatMap { ChannelName($0) }, "\(response.text)")
      let cursor = try #require(object["cursor"]?.string.flatMap { Cursor($0) }, "\(response.text)")
      return (channel, cursor)
    }
  }
}

extension HTTPResponse {
  var object: JSONObject? { try? JSONObject(body) }

  var text: String { String(buffer: body) }

  /// What a poll was answered, taken apart.
  var poll: (cursor: CursorSet, events: [ServerEvent])? {
    guard let answer = PollAnswer(body) else { return nil }
    return (answer.positions, answer.events.compactMap { try? ServerEvent(parsing: $0) })
  }

  /// `code` of a problem.
  var problem: String? {
    guard headers.first(name: "Content-Type")?.hasPrefix("application/problem+json") == true else {
      return nil
    }
    return object?["code"]?.string
  }
}
