import Admission
import NIOConcurrencyHelpers
import NIOCore
import Telemetry
import Testing
import Wire

@testable import GatewayNode

/// Many questions at once.
@Suite struct WebhookCrowdTests: WebhookSuite {
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
