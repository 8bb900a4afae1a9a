import GatewayNode
import NIOCore
import Testing

@Suite struct PublishRequestTests {
  @Test func writesTheBody() throws {
    let request = try PublishRequest(channel: "room:a", data: #"{"a": [1]}"#, key: "k\"1")
    #expect(
      String(buffer: request.body)
        == #"{"publications":[{"channels":["room:a"],"data":{"a": [1]},"key":"k\"1"}]}"#
    )
  }

  @Test func refusesWhatCannotBePublished() {
    #expect(throws: PublishRequest.Failure.self) { try PublishRequest(channel: "a b", data: "1") }
    let failure = #expect(throws: PublishRequest.Failure.self) {
      try PublishRequest(channel: "a", data: "hi")
    }
    #expect(failure?.description.contains("not JSON") == true)
    #expect(throws: PublishRequest.Failure.self) {
      try PublishRequest(channel: "a", data: "1}],\"x\":[{\"a\":2")
    }
  }

  @Test func readsTheResult() throws {
    let request = try PublishRequest(channel: "a", data: "1")
    let done = ByteBuffer(string: #"{"results":[{"channel":"a","cursor":"abcdefgh.3"}]}"#)
    #expect(try request.result(of: done) == "abcdefgh.3")
    let ephemeral = ByteBuffer(string: #"{"results":[{"channel":"a"}]}"#)
    #expect(try request.result(of: ephemeral) == "-")
    let failed = ByteBuffer(string: #"{"results":[{"channel":"a","error":{"code":"x","message":"no log"}}]}"#)
    let failure = #expect(throws: PublishRequest.Failure.self) { try request.result(of: failed) }
    #expect(failure?.description == "not published: no log")
    #expect(throws: PublishRequest.Failure.self) { try request.result(of: ByteBuffer(string: "{}")) }
  }
}
