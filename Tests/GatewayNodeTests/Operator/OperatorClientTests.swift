import GatewayNode
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@Suite struct OperatorClientTests {
  /// Answers each connection with `answer` after its first bytes, and keeps those.
  private final class Canned: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let answer: String?
    let asked: EventLoopPromise<String>

    init(_ answer: String?, _ asked: EventLoopPromise<String>) {
      self.answer = answer
      self.asked = asked
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      asked.succeed(String(buffer: unwrapInboundIn(data)))
      if let answer {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
      } else {
        context.close(promise: nil)
      }
    }
  }

  private func ask(
    _ answer: String?,
    _ body: (OperatorURL) async throws -> Void
  ) async throws -> String {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let asked = loop.makePromise(of: String.self)
    let handler = Canned(answer, asked)
    let server = try await ServerBootstrap(group: loop)
      .childChannelInitializer { $0.pipeline.addHandler(handler) }
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(server.localAddress?.port)
    let url = try #require(OperatorURL("http://127.0.0.1:\(port)"))
    do {
      try await body(url)
    } catch {
      asked.fail(error)
      try await server.close().get()
      throw error
    }
    try await server.close().get()
    return try await asked.futureResult.get()
  }

  @Test func sendsTheRequestAndReadsTheAnswer() async throws {
    let request = try await ask(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nRetry-After: 1\r\n\r\nno"
    ) {
      let client = OperatorClient($0, key: "secret")
      let answer = try await client.send(.POST, "/v1/publish", body: ByteBuffer(string: "{}"))
      #expect(answer.status == .serviceUnavailable)
      #expect(answer.headers.first(name: "Retry-After") == "1")
      #expect(String(buffer: answer.body) == "no")
    }
    #expect(request.hasPrefix("POST /v1/publish HTTP/1.1\r\n"))
    #expect(request.contains("\r\nAuthorization: Bearer secret\r\n"))
    #expect(request.contains("\r\nContent-Length: 2\r\n"))
  }

  @Test func aBrokenAnswerIsAFailure() async throws {
    _ = try await ask("nonsense\r\n\r\n") { url in
      await #expect(throws: OperatorClient.Failure.self) { try await OperatorClient(url).send(.GET, "/") }
    }
    _ = try await ask(nil) { url in
      await #expect(throws: OperatorClient.Failure.self) { try await OperatorClient(url).send(.GET, "/") }
    }
  }

  @Test func silenceIsAFailure() async throws {
    _ = try await ask("") { url in
      let client = OperatorClient(url, timeout: .milliseconds(50))
      await #expect(throws: OperatorClient.Failure.self) { try await client.send(.GET, "/") }
    }
  }

  @Test func nobodyThereIsAFailure() async throws {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let server = try await ServerBootstrap(group: loop).bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(server.localAddress?.port)
    try await server.close().get()
    let client = OperatorClient(try #require(OperatorURL("http://127.0.0.1:\(port)")))
    let failure = await #expect(throws: OperatorClient.Failure.self) { try await client.send(.GET, "/") }
    #expect(failure?.description == "http://127.0.0.1:\(port) cannot be reached: Connection refused")
  }
}
