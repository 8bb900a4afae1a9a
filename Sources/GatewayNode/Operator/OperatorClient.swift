internal import RedisClient
public import NIOCore
public import NIOHTTP1
private import NIOPosix

/// Asks an operator listener, one connection per request.
public struct OperatorClient: Sendable {
  public struct Answer: Sendable {
    public var status: HTTPResponseStatus
    public var headers: HTTPHeaders
    public var body: ByteBuffer
  }

  /// Why there is no answer, for a person.
  public struct Failure: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// The largest answer that is taken, in bytes.
  static let limit = 16 << 20

  public let url: OperatorURL
  let key: String?
  let timeout: TimeAmount

  /// - Parameters:
  ///   - key: what the listener asks for as `Authorization: Bearer`.
  ///   - timeout: for connecting, and again for the answer.
  public init(_ url: OperatorURL, key: String? = nil, timeout: TimeAmount = .seconds(10)) {
    self.url = url
    self.key = key
    self.timeout = timeout
  }

  /// Sends one request and waits for the whole answer, whatever its status.
  public func send(
    _ method: HTTPMethod,
    _ path: String,
    body: ByteBuffer? = nil
  ) async throws(Failure) -> Answer {
    do {
      return try await exchange(method, path, body)
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Failure(description: "\(url) cannot be reached: \(SystemReason.text(of: error))")
    }
  }

  private func exchange(_ method: HTTPMethod, _ path: String, _ body: ByteBuffer?) async throws -> Answer {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let answer = loop.makePromise(of: Answer.self)
    let timeout = timeout
    let channel: any Channel
    do {
      channel = try await ClientBootstrap(group: loop)
        .connectTimeout(timeout)
        .channelInitializer { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHTTPClientHandlers()
            try channel.pipeline.syncOperations.addHandler(AnswerCollector(answer, timeout: timeout))
          }
        }
        .connect(host: url.address.host, port: url.address.port)
        .get()
    } catch {
      answer.fail(error)
      throw error
    }
    var head = HTTPRequestHead(version: .http1_1, method: method, uri: path)
    head.headers.add(name: "Host", value: url.address.description)
    head.headers.add(name: "Connection", value: "close")
    if let key { head.headers.add(name: "Authorization", value: "Bearer \(key)") }
    if let body {
      head.headers.add(name: "Content-Type", value: "application/json")
      head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
    }
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    if let body { channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil) }
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    let result = await answer.futureResult.result
    channel.close(promise: nil)
    return try result.get()
  }
}

extension EventLoopFuture where Value: Sendable {
  fileprivate var result: Result<Value, any Error> {
    get async {
      do {
        return .success(try await get())
      } catch {
        return .failure(error)
      }
    }
  }
}
