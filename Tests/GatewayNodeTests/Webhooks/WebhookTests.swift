import NIOConcurrencyHelpers
import Admission
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Telemetry
import Testing
import Wire

@testable import GatewayNode

@Suite struct WebhookTests {
  private func ask(
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
  private func with(
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

  private func code(_ result: Result<Decision, ClientError>) -> ErrorCode? {
    if case .failure(let error) = result { error.code } else { nil }
  }

  @Test func theQuestionSaysWhoWantsWhat() async throws {
    let backend = try await Backend { _ in .json(#"{"allow":true}"#) }
    try await with(backend, { $0.secret = Array("a secret of the cluster".utf8) }) { webhook in
      _ = try await ask(.publish, data: #"{"text":"hi"}"#, of: webhook).get()
      let asked = try #require(backend.asked.first)
      #expect(asked.head.method == .POST && asked.head.uri == "/decide")
      #expect(asked.head.headers.first(name: "Content-Type") == "application/json")
      let object = try JSONObject(asked.body)
      #expect(object["kind"]?.string == "publish")
      #expect(object["node"]?.string == "gateway-1")
      #expect(object["user"]?.string == "ada")
      #expect(object["member"]?.string == "m1")
      #expect(object["address"]?.string == "192.0.2.7")
      #expect(object["transport"]?.string == "websocket")
      #expect(object["channel"]?.string == "room:a")
      #expect(object["info"]?.object?["a"]?.integer == 1)
      #expect(object["data"]?.object?["text"]?.string == "hi")
      let time = try #require(object["time"]?.integer)
      let header = try #require(asked.head.headers.first(name: "Sluice-Signature"))
      #expect(
        header
          == WebhookSignature.sign(asked.body, at: time / 1_000, with: Array("a secret of the cluster".utf8))
      )
    }
  }

  /// As `printf '17.{}' | openssl dgst -sha256 -hmac key` says.
  @Test func signaturesAreThoseOfOthers() {
    #expect(
      WebhookSignature.sign(ByteBuffer(string: "{}"), at: 17, with: Array("key".utf8))
        == "t=17,v1=e66392eac42eafc68c35a01c712811e016386c12456975fc3af80c9268568e3a"
    )
  }

  @Test func answersDecide() async throws {
    let backend = try await Backend { _ in
      .json(
        """
        {"allow":true,"user":"bob","info":{"b":2},"data":{"text":"bye"},
         "channels":{"subscribe":["room:*"],"publish":["room:a"]}}
        """
      )
    }
    try await with(backend) { webhook in
      let connect = try await ask(.connect, of: webhook).get()
      #expect(connect.user == "bob")
      #expect(connect.info == ByteBuffer(string: #"{"b":2}"#))
      #expect(connect.rights?.grants(.subscribe, ChannelName("room:z")!) == true)
      #expect(connect.rights?.grants(.publish, ChannelName("room:z")!) == false)
      #expect(connect.data == nil)
      let publish = try await ask(.publish, data: "1", of: webhook).get()
      #expect(publish.data == ByteBuffer(string: #"{"text":"bye"}"#))
      #expect(publish.user == nil)
      backend.answers { _ in .json(#"{"allow":false,"reason":"not today"}"#) }
      guard case .failure(let error) = try await ask(of: webhook) else {
        Issue.record("it was allowed")
        return
      }
      #expect(error == ClientError(.forbidden, "not today"))
      #expect(webhook.metrics.denied.value == 1)
    }
  }

  @Test(arguments: [
    "", "nonsense", "[]", "{}", #"{"allow":"yes"}"#, #"{"allow":true,"max_age":-1}"#,
    #"{"allow":true,"channels":{"subscribe":["bad name"]}}"#, #"{"allow":true,"user":7}"#,
  ])
  func whatIsNoAnswerDecidesNothing(text: String) async throws {
    let backend = try await Backend { _ in .json(text) }
    try await with(backend) { webhook in
      let decided = try await ask(.connect, of: webhook)
      #expect(code(decided) == .unavailable)
      #expect(webhook.metrics.failed.value == 1)
    }
  }

  @Test func faultsOfTheBackendDecideNothing() async throws {
    let answers: [Backend.Answer] = [
      .json(#"{"allow":true}"#, .internalServerError), .json(#"{"allow":true}"#, .found),
      .json(#"{"allow":true}"#, .noContent), .raw("garbage\r\n\r\n"), .raw(""), .silence,
      .raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"allow\":true}"),
      .json("{\"allow\":true,\"x\":\"" + String(repeating: "x", count: 300_000) + "\"}"),
    ]
    for answer in answers {
      let backend = try await Backend { _ in answer }
      try await with(backend, { $0.timeout = .milliseconds(300) }) { webhook in
        let closed = try await ask(of: webhook)
        #expect(code(closed) == .unavailable, "\(answer)")
      }
      let open = try await Backend { _ in answer }
      try await with(
        open,
        {
          $0.timeout = .milliseconds(300)
          $0.failsOpen = [.subscribe]
        }
      ) { webhook in
        let subscribed = try await ask(of: webhook)
        #expect(code(subscribed) == nil, "\(answer)")
        let published = try await ask(.publish, data: "1", of: webhook)
        #expect(code(published) == .unavailable, "\(answer)")
      }
    }
  }

  /// Who asks so much that the rest is not asked is not let in by that.
  @Test func tooManyQuestionsOpenNothing() async throws {
    let backend = try await Backend { _ in .late(.milliseconds(500), #"{"allow":true}"#) }
    try await with(
      backend,
      {
        $0.connections = 1
        $0.failsOpen = [.subscribe]
      }
    ) { webhook in
      let codes = try await withThrowingTaskGroup(of: ErrorCode?.self) { group in
        for _ in 0..<4 { group.addTask { try await code(ask(of: webhook)) } }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.count { $0 == .overloaded } == 1, "\(codes)")
      #expect(webhook.metrics.refused.value == 1)
    }
  }

  @Test func aSilentBackendIsSparedAndFoundAgain() async throws {
    let backend = try await Backend { _ in .silence }
    try await with(backend, { $0.timeout = .milliseconds(100) }) { webhook in
      for _ in 0..<5 { #expect(try await code(ask(of: webhook)) == .unavailable) }
      #expect(webhook.metrics.open.value == 1)
      let before = backend.asked.count
      guard case .failure(let error) = try await ask(of: webhook) else {
        Issue.record("it was allowed")
        return
      }
      #expect(error.code == .unavailable && (error.retryAfterMS ?? 0) >= 500)
      #expect(webhook.metrics.refused.value == 1)
      #expect(backend.asked.count == before)
      backend.answers { _ in .json(#"{"allow":true}"#) }
      let end = ContinuousClock.now + .seconds(10)
      while code(try await ask(of: webhook)) != nil, ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(webhook.metrics.open.value == 0)
      let first = try await ask(of: webhook)
      #expect(code(first) == nil)
    }
  }

  /// Odd questions of one client do not have the backend spared for everybody.
  @Test func whatABackendCannotUseIsNoFailureOfIts() async throws {
    let backend = try await Backend { _ in .json("what?", .badRequest) }
    try await with(backend, { $0.failsOpen = [.subscribe] }) { webhook in
      for _ in 0..<20 { #expect(try await code(ask(of: webhook)) == .unavailable, "it opens nothing either") }
      #expect(backend.asked.count == 20 && webhook.metrics.open.value == 0)
      backend.answers { _ in .json("", .tooManyRequests) }
      for _ in 0..<20 { _ = try await ask(of: webhook) }
      #expect(backend.asked.count < 40 && webhook.metrics.open.value == 1)
    }
  }

  @Test func aBackendThatFailsNowAndThenIsInTheLogNowAndThen() async throws {
    let lines = NIOLockedValueBox(0)
    let log = Logger(label: "test") {
      LineLogHandler(label: $0, format: .human, logLevel: .warning) { _ in lines.withLockedValue { $0 += 1 } }
    }
    let backend = try await Backend { _ in .json("{}") }
    try await with(backend, { $0.breaker.failures = 1_000 }, log: log) { webhook in
      for round in 0..<20 {
        let status = round % 2 == 0 ? HTTPResponseStatus.badRequest : .forbidden
        backend.answers { _ in .json("{}", status) }
        _ = try await ask(of: webhook)
      }
      #expect(lines.withLockedValue { $0 } == 1)
    }
  }

  @Test func nobodyListensThere() async throws {
    let backend = try await Backend { _ in .json(#"{"allow":true}"#) }
    try await backend.stop()
    let other = try await Backend { _ in .silence }
    try await with(other, { $0.url = backend.url }) { webhook in
      let second = try await ask(of: webhook)
      #expect(code(second) == .unavailable)
    }
  }

  @Test func answersAreKeptAsLongAsTheySay() async throws {
    let backend = try await Backend { _ in .json(#"{"allow":true,"max_age":3600}"#) }
    try await with(backend) { webhook in
      for _ in 0..<10 { _ = try await ask(of: webhook).get() }
      #expect(backend.asked.count == 1)
      #expect(webhook.metrics.cached.value == 9)
      _ = try await ask(user: "bob", of: webhook).get()
      _ = try await ask(channel: "room:b", of: webhook).get()
      _ = try await ask(.connect, of: webhook).get()
      #expect(backend.asked.count == 4)
      // Each publish is its own question.
      for _ in 0..<3 { _ = try await ask(.publish, data: "1", of: webhook).get() }
      #expect(backend.asked.count == 7)
    }
    let silent = try await Backend { _ in .json(#"{"allow":true}"#) }
    try await with(silent) { webhook in
      for _ in 0..<3 { _ = try await ask(of: webhook).get() }
      #expect(silent.asked.count == 3)
    }
  }

  /// A client that has one loop for a request and another one for its connection would end the process sooner or later.
  @Test func aBackendMayAnswerEarlyAndCloseAtOnce() async throws {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"allow\":true}"
    let backend = try await Backend { _ in .json(#"{"allow":true}"#) }
    backend.hasty.withLockedValue { $0 = text }
    try await with(backend, { $0.breaker.failures = 1_000 }) { webhook in
      for round in 0..<30 {
        let outcomes = try await withThrowingTaskGroup(of: ErrorCode?.self) { group in
          for number in 0..<20 {
            group.addTask { try await code(ask(channel: "room:\(round).\(number)", of: webhook)) }
          }
          return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.allSatisfy { $0 == nil || $0 == .unavailable })
      }
      #expect(webhook.metrics.waiting.value == 0)
      backend.hasty.withLockedValue { $0 = nil }
      var last: ErrorCode?
      for _ in 0..<100 {
        last = try await code(ask(channel: "room:last", of: webhook))
        if last == nil { break }
      }
      #expect(last == nil)
    }
  }

  @Test func manyQuestionsWaitForFewConnections() async throws {
    let backend = try await Backend { _ in .late(.milliseconds(200), #"{"allow":true}"#) }
    try await with(backend, { $0.connections = 4 }) { webhook in
      let codes = try await withThrowingTaskGroup(of: ErrorCode?.self) { group in
        for number in 0..<100 {
          group.addTask { try await code(ask(channel: "room:\(number)", of: webhook)) }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      #expect(codes.count { $0 == nil } >= 12)
      #expect(codes.allSatisfy { $0 == nil || $0 == .overloaded })
      #expect(codes.contains(.overloaded))
      #expect(backend.mostConnections <= 6)
      #expect(webhook.metrics.waiting.value == 0)
    }
  }
}
