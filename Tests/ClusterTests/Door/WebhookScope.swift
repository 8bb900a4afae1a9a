import NIOConcurrencyHelpers
import NIOHTTP1
import SluiceClient
import Testing
import Wire

/// A node that asks a backend about everything, and that backend: one of each for all tests of a suite.
///
/// The backend decides by names alone, so that the tests do not meet: it refuses who is called `barred`, and channels
/// that end in `:barred`; it says nothing about those called `lost` while ``isSilent``.
struct WebhookScene: Sendable {
  @TaskLocal static var current: WebhookScene?

  let node: LoneNode
  let backend: HookBackend
  private let silence: NIOLockedValueBox<Bool>

  static func run(_ body: () async throws -> Void) async throws {
    let silence = NIOLockedValueBox(false)
    let turncoats = NIOLockedValueBox(0)
    let backend = try await HookBackend { question in
      let name = question["channel"]?.string?.split(separator: ":").last.map(String.init)
      switch (question["kind"]?.string, name ?? question["user"]?.string) {
      case (_, "barred"): return .json(#"{"allow":false,"reason":"not with us"}"#)
      case (_, "lost") where silence.withLockedValue({ $0 }): return .silence
      case ("connect", "renamed"):
        let rights = ["subscribe", "publish", "presence"].map { #""\#($0)":["room:granted"]"# }
        return .json(
          #"{"allow":true,"user":"ada","info":{"name":"Ada"},"channels":{\#(rights.joined(separator: ","))}}"#
        )
      case ("connect", "turncoat"):
        let isFirst = turncoats.withLockedValue { count in
          count += 1
          return count == 1
        }
        return .json(isFirst ? #"{"allow":true}"# : #"{"allow":false,"reason":"no more"}"#)
      case ("publish", "edited"): return .json(#"{"allow":true,"data":{"text":"clean"}}"#)
      default: return .json(#"{"allow":true}"#)
      }
    }
    let options = [
      "--webhook", backend.url, "--webhook-timeout", "300ms", "--webhook-fail-open", "subscribe",
    ]
    let outcome: Result<Void, any Error>
    do {
      try await DoorKeys.withNode(options: options) { node in
        let scene = WebhookScene(node: node, backend: backend, silence: silence)
        try await $current.withValue(scene) { try await body() }
      }
      outcome = .success(())
    } catch {
      outcome = .failure(error)
    }
    try await backend.stop()
    try outcome.get()
  }

  /// Runs `body` while the backend does not answer what is called `lost`.
  func whileSilent(_ body: () async throws -> Void) async throws {
    silence.withLockedValue { $0 = true }
    defer { silence.withLockedValue { $0 = false } }
    try await body()
  }

  func bearer(_ user: String) async throws -> HTTPHeaders {
    ["Authorization": "Bearer \(try await DoorKeys.token(user))"]
  }

  /// What the backend was asked: kind, transport and channel, by a user.
  func asked(about user: String) -> [String] {
    backend.asked.filter { $0["user"]?.string == user }.map { question in
      [question["kind"], question["transport"], question["channel"]].compactMap { $0?.string }
        .joined(separator: " ")
    }
  }
}

struct WebhookScope: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test,
    testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await WebhookScene.run { try await function() }
  }
}

extension Trait where Self == WebhookScope {
  static var webhook: WebhookScope { WebhookScope() }
}
