import Admission
import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOHTTP1
import Telemetry
import Testing
import Wire

@testable import GatewayNode

/// A backend that fails, and is spared.
@Suite struct WebhookFaultTests: WebhookSuite {
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

  @Test func aSilentBackendIsSparedAndFoundAgain() async throws {
    let backend = try await Backend { _ in .silence }
    try await with(backend, { $0.timeout = .milliseconds(100) }) { webhook in
      for _ in 0..<5 { #expect(try await code(ask(of: webhook)) == .unavailable) }
      #expect(webhook.metrics.open[.subscribe]?.value == 1)
      let before = backend.asked.count
      guard case .failure(let error) = try await ask(of: webhook) else {
        Issue.record("it was allowed")
        return
      }
      #expect(error.code == .unavailable && (error.retryAfterMS ?? 0) >= 500)
      #expect(webhook.metrics.refused.value == 1)
      #expect(backend.asked.count == before)
      backend.answers { _ in .json(#"{"allow":true}"#) }
      try await answered(.subscribe, by: webhook)
      #expect(webhook.metrics.open[.subscribe]?.value == 0)
      let first = try await ask(of: webhook)
      #expect(code(first) == nil)
    }
  }

  /// Until a question of that kind is allowed.
  private func answered(_ kind: Question.Kind, by webhook: Webhook) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while let fault = try await code(ask(kind, data: "1", of: webhook)) {
      try #require(ContinuousClock.now < end, "in vain: \(fault)")
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Publishes alone fail: whoever wants to connect or subscribe is not refused for that.
  @Test func eachKindOfQuestionIsSparedByItself() async throws {
    let backend = try await Backend { asked in
      let kind = try? JSONObject(asked.body)["kind"]?.string
      return .json(#"{"allow":true}"#, kind == "publish" ? .internalServerError : .ok)
    }
    try await with(backend, { $0.breaker.pause = .seconds(1) }) { webhook in
      let open = { Question.Kind.allCases.map { webhook.metrics.open[$0]?.value } }
      for _ in 0..<5 { #expect(try await code(ask(.publish, data: "1", of: webhook)) == .unavailable) }
      #expect(open() == [0, 0, 1])
      let before = backend.asked.count
      #expect(try await code(ask(.publish, data: "1", of: webhook)) == .unavailable)
      #expect(backend.asked.count == before && webhook.metrics.refused.value == 1)
      for _ in 0..<10 {
        #expect(try await code(ask(.connect, of: webhook)) == nil)
        #expect(try await code(ask(.subscribe, of: webhook)) == nil)
      }
      // Their success closes nothing but their own.
      #expect(backend.asked.count == before + 20 && open() == [0, 0, 1])
      backend.answers { _ in .json(#"{"allow":true}"#) }
      try await answered(.publish, by: webhook)
      #expect(open() == [0, 0, 0])
    }
  }

  /// Odd questions of one client do not have the backend spared for everybody.
  @Test func whatABackendCannotUseIsNoFailureOfIts() async throws {
    let backend = try await Backend { _ in .json("what?", .badRequest) }
    try await with(backend, { $0.failsOpen = [.subscribe] }) { webhook in
      for _ in 0..<20 { #expect(try await code(ask(of: webhook)) == .unavailable, "it opens nothing either") }
      #expect(backend.asked.count == 20 && webhook.metrics.open[.subscribe]?.value == 0)
      backend.answers { _ in .json("", .tooManyRequests) }
      for _ in 0..<20 { _ = try await ask(of: webhook) }
      #expect(backend.asked.count < 40 && webhook.metrics.open[.subscribe]?.value == 1)
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
}
