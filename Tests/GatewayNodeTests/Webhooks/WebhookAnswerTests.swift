import Admission
import NIOCore
import Testing
import Wire

@testable import GatewayNode

/// What a backend may answer, and for how long it is remembered.
@Suite struct WebhookAnswerTests {
  private func decision(_ text: String, to kind: Question.Kind) throws -> Decision {
    try #require(WebhookAnswer(ByteBuffer(string: text), to: kind)).result.get()
  }

  /// What a backend writes over several lines is one line in a stream of events.
  @Test func valuesAreInOneLine() throws {
    let text =
      "{\"allow\": true,\n \"info\": {\r\n  \"b\": 2\n},\n \"data\": [\n  1,\r\n  2\n]\n}"
    let info = try decision(text, to: .connect).info
    #expect(info.map { String(buffer: $0) } == #"{    "b": 2 }"#)
    let data = try decision(text, to: .publish).data
    #expect(data.map { String(buffer: $0) } == "[   1,    2 ]")
  }

  /// Who may see may also read, unless it is said otherwise, as in a token.
  @Test func rightsAreThoseOfAToken() throws {
    let answer = try decision(#"{"allow":true,"channels":{"subscribe":["room:*"]}}"#, to: .connect)
    let rights = try #require(answer.rights)
    let channel = try #require(ChannelName("room:a"))
    #expect(Rights.Act.allCases.filter { rights.grants($0, channel) } == [.subscribe, .presence, .history])
  }

  @Test(arguments: [
    "\"user\":\"\(String(repeating: "u", count: 257))\"", #""user":"""#, #""user":"a\nb""#,
    "\"info\":\"\(String(repeating: "i", count: 2_048))\"",
    "\"channels\":{\"subscribe\":[\(Array(repeating: "\"a\"", count: 201).joined(separator: ","))]}",
  ])
  func moreThanATokenMaySayIsNoAnswer(_ member: String) {
    #expect(WebhookAnswer(ByteBuffer(string: "{\"allow\":true,\(member)}"), to: .connect)?.size == nil)
  }

  @Test func theCacheIsBoundedAndForgets() {
    var cache = WebhookCache(most: 10, mostBytes: 1_000)
    let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
    let answer = WebhookAnswer(ByteBuffer(string: #"{"allow":true}"#), to: .connect)!
    for number in 0..<100 {
      let until = start + .seconds(number % 2 == 0 ? 1 : 100)
      cache.keep(answer, to: [UInt8(number)], until: until, now: start)
      #expect(cache.count <= 10)
    }
    cache.keep(answer, to: [0xff], until: start + .seconds(5), now: start)
    #expect(cache.answer(to: [0xff], now: start + .milliseconds(4_999)) != nil)
    #expect(cache.answer(to: [0xff], now: start + .seconds(5)) == nil)
    let long = String(repeating: "l", count: 300)
    let large = WebhookAnswer(ByteBuffer(string: "{\"allow\":true,\"x\":\"\(long)\"}"), to: .connect)!
    for number in 0..<100 {
      cache.keep(large, to: [UInt8(number % 7)], until: start + .seconds(10), now: start)
      #expect((1...1_000).contains(cache.bytes))
    }
    #expect(cache.answer(to: [1], now: start) != nil)
  }
}
