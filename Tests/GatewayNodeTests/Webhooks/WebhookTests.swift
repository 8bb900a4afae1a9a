import Admission
import NIOCore
import NIOHTTP1
import Telemetry
import Testing
import Wire

@testable import GatewayNode

/// What is asked, and what the answers come to.
@Suite struct WebhookTests: WebhookSuite {
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
}
