import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
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
}

extension HTTPResponse {
  var object: JSONObject? { try? JSONObject(body) }

  var text: String { String(buffer: body) }

  /// `code` of a problem.
  var problem: String? {
    guard headers.first(name: "Content-Type")?.hasPrefix("application/problem+json") == true else {
      return nil
    }
    return object?["code"]?.string
  }
}
