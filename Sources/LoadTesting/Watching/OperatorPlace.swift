import NIOCore
import NIOHTTP1
import NIOPosix
public import SluiceClient

/// An operator listener.
public struct OperatorPlace: Sendable, CustomStringConvertible {
  public var endpoint: Endpoint
  /// What it asks for as `Authorization: Bearer`.
  public var key: String?

  public init(_ endpoint: Endpoint, key: String? = nil) {
    self.endpoint = endpoint
    self.key = key
  }

  public var description: String { "http://\(endpoint.host):\(endpoint.port)" }

  var headers: HTTPHeaders { key.map { ["Authorization": "Bearer \($0)"] } ?? [:] }

  /// One request over a connection of its own.
  func send(_ method: HTTPMethod, _ path: String, body: String? = nil) async throws -> HTTPResponse {
    var request = HTTPRequest(method, path, headers: headers)
    if let body {
      request.body = ByteBuffer(string: body)
      request.headers.add(name: "Content-Type", value: "application/json")
    }
    return try await endpoint.answer(to: request, timeout: .seconds(3))
  }
}

extension Endpoint {
  /// The answer to one request over a connection of its own.
  func answer(to request: HTTPRequest, timeout: TimeAmount) async throws -> HTTPResponse {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let endpoint = self
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
}
