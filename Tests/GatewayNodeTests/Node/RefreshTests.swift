import Admission
import NIOCore
import NIOHTTP1
import Testing
import Wire

@testable import GatewayNode

/// A WebSocket that goes on with another token.
@Suite struct RefreshTests {
  private static let secret = Array("a secret of more than 32 bytes, surely".utf8)

  private func token(expires: Int64, subscribe: [String] = ["room:*"]) async throws -> String {
    var wish = TokenMaker.Wish()
    wish.user = "ada"
    wish.expires = expires
    wish.granted = [.subscribe: subscribe]
    return try await TokenMaker(try #require(TokenKey.read(RefreshTests.secret).first)).token(wish)
  }

  private func with(
    settings adjust: (inout NodeSettings) -> Void = { _ in },
    _ body: (RunningNode) async throws -> Void
  ) async throws {
    let keys = try TokenKey.read(RefreshTests.secret)
    try await RunningNode.with(
      settings: {
        $0.tokenKeys = keys
        $0.namespaces.named["room"] = NamespaceOptions()
        $0.namespaces.named["room"]?.subscribe = .token
        adjust(&$0)
      },
      body
    )
  }

  /// By when the next one is due is what the token says, without the node's leeway.
  @Test func theEndIsThatOfTheToken() async throws {
    let end = WallClock.milliseconds() / 1_000 + 600
    try await with { running in
      let socket = try await RawClient.socket(to: running.node.address, token: token(expires: end))
      try await socket.say(#"{"type":"token","id":7,"token":"\#(try await token(expires: end + 60))"}"#)
      try await socket.received(#"{"type":"refreshed","id":7,"expires":\#(end + 60)}"#)
      try await socket.close()
    }
  }

  /// What was granted when a backend was asked is not granted any more when it answers.
  @Test func aTokenThatGrantsLessHoldsForWhatWaits() async throws {
    let backend = try await Backend { _ in .late(.seconds(1), #"{"allow":true}"#) }
    let end = WallClock.milliseconds() / 1_000 + 600
    try await with(settings: {
      $0.webhook = WebhookSettings(url: backend.url)
      $0.webhook.decides = [.subscribe]
      $0.webhook.timeout = .seconds(20)
    }) { running in
      let socket = try await RawClient.socket(to: running.node.address, token: token(expires: end))
      try await socket.say(
        #"{"type":"subscribe","id":1,"channel":"room:a"}"#,
        #"{"type":"subscribe","id":2,"channel":"room:b"}"#,
        #"{"type":"token","id":3,"token":"\#(try await token(expires: end, subscribe: ["room:b"]))"}"#
      )
      let refreshed = #""type":"refreshed","id":3"#
      try await socket.received(refreshed, #""type":"error","id":1,"code":"forbidden""#)
      try await socket.received(refreshed, #""type":"subscribed","id":2,"channel":"room:b""#)
      try await socket.close()
    }
    try await backend.stop()
  }
}
