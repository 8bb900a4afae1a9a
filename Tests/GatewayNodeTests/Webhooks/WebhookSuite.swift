import Admission
import Logging
import NIOCore
import NIOPosix
import Testing
import Wire

@testable import GatewayNode

/// What tests of webhooks have in common.
protocol WebhookSuite {}

extension WebhookSuite {
  func ask(
    _ kind: Question.Kind = .subscribe,
    user: String? = "ada",
    channel: String = "room:a",
    data: String? = nil,
    of webhook: Webhook
  ) async throws -> Result<Decision, ClientError> {
    let caller = Caller(user: user, info: ByteBuffer(string: #"{"a":1}"#), from: .told("192.0.2.7"))
    var question = Question(kind, by: caller, over: .webSocket)
    question.member = "m1"
    if kind != .connect { question.channel = ChannelName(channel) }
    question.data = data.map { ByteBuffer(string: $0) }
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let promise = loop.makePromise(of: Result<Decision, ClientError>.self)
    webhook.decide(question, on: loop) { result in
      loop.preconditionInEventLoop()
      promise.succeed(result)
    }
    return try await promise.futureResult.get()
  }

  /// A webhook for as long as `body` takes.
  func with(
    _ backend: Backend,
    _ change: (inout WebhookSettings) -> Void = { _ in },
    log: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
    _ body: (Webhook) async throws -> Void
  ) async throws {
    var settings = WebhookSettings(url: backend.url)
    change(&settings)
    let webhook = try #require(
      Webhook(settings, node: "gateway-1", on: MultiThreadedEventLoopGroup.singleton, log: log)
    )
    do {
      try await body(webhook)
    } catch {
      await webhook.shutdown()
      throw error
    }
    await webhook.shutdown()
    try await backend.stop()
  }

  func code(_ result: Result<Decision, ClientError>) -> ErrorCode? {
    if case .failure(let error) = result { error.code } else { nil }
  }
}
