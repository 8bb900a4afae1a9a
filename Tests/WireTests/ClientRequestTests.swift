import NIOCore
import Testing
import Wire

@Suite struct ClientRequestTests {
  private static let lobby = ChannelName("room:lobby")!
  private static let cursor = Cursor("k3f9x2ab.1041")!

  private func written(_ request: ClientRequest) -> ByteBuffer {
    var buffer = ByteBuffer()
    request.write(into: &buffer)
    return buffer
  }

  private static let commands: [ClientCommand] = [
    .subscribe(channel: lobby, since: nil, presence: nil),
    .subscribe(channel: lobby, since: .start, presence: .watch),
    .subscribe(channel: lobby, since: .cursor(cursor), presence: .join),
    .unsubscribe(channel: lobby),
    .publish(channel: lobby, data: ByteBuffer(string: #"{"text":"hi"}"#), key: nil),
    .publish(channel: lobby, data: ByteBuffer(string: "null"), key: "a \"key\""),
    .presence(channel: lobby, limit: nil, after: nil),
    .presence(channel: lobby, limit: 1_000, after: "abcdefghijklmno-"),
    .history(channel: lobby, range: .newest, limit: nil),
    .history(channel: lobby, range: .since(.start), limit: 1),
    .history(channel: lobby, range: .since(.cursor(cursor)), limit: nil),
    .history(channel: lobby, range: .before(cursor), limit: 7),
    .token("a.b.c"),
    .ping,
  ]

  @Test(arguments: commands)
  func everyCommandComesBackAsItWas(_ command: ClientCommand) throws {
    for id in [nil, 7, -1] as [Int64?] {
      let request = ClientRequest(id: id, command)
      #expect(try ClientRequest(parsing: written(request)) == request)
    }
  }

  @Test func readsTheDocumentedExample() throws {
    let text = #"{"type":"subscribe","id":1,"channel":"room:lobby","since":"k3f9x2ab.1041"}"#
    let command = ClientCommand.subscribe(channel: Self.lobby, since: .cursor(Self.cursor), presence: nil)
    #expect(try ClientRequest(parsing: ByteBuffer(string: text)) == ClientRequest(id: 1, command))
  }

  @Test(
    arguments: [
      ("", ErrorCode.badJSON, nil), ("{", .badJSON, nil), ("{}{}", .badJSON, nil), ("hello", .badJSON, nil),
      ("7 7", .badJSON, nil), ("7", .badRequest, nil), ("[]", .badRequest, nil),
      ("{}", .badRequest, nil), (#"{"type":7,"id":1}"#, .badRequest, 1),
      (#"{"type":"dance","id":2}"#, .unknownType, 2),
      (#"{"type":"message","id":2}"#, .unknownType, 2), (#"{"type":"ping","id":"x"}"#, .badRequest, nil),
      (#"{"type":"ping","id":1.5}"#, .badRequest, nil), (#"{"type":"subscribe","id":3}"#, .badChannel, 3),
      (#"{"type":"subscribe","id":3,"channel":"a b"}"#, .badChannel, 3),
      (#"{"type":"subscribe","id":3,"channel":"a","since":"x"}"#, .badCursor, 3),
      (#"{"type":"subscribe","id":3,"channel":"a","since":5}"#, .badCursor, 3),
      (#"{"type":"subscribe","id":3,"channel":"a","presence":"hide"}"#, .badRequest, 3),
      (#"{"type":"publish","id":4,"channel":"a"}"#, .badRequest, 4),
      (#"{"type":"publish","id":4,"channel":"a","data":1,"key":""}"#, .badRequest, 4),
      (#"{"type":"publish","id":4,"channel":"a","data":1,"key":"a\u0000b"}"#, .badRequest, 4),
      (#"{"type":"publish","id":4,"channel":"a","data":1,"key":"a\nb"}"#, .badRequest, 4),
      (#"{"type":"publish","id":4,"channel":"a","data":1,"key":"\u00fc"}"#, .badRequest, 4),
      (#"{"type":"presence","id":4,"channel":"a","after":"x"}"#, .badRequest, 4),
      (#"{"type":"presence","id":4,"channel":"a","after":"abcdefghijklmno "}"#, .badRequest, 4),
      (#"{"type":"presence","id":4,"channel":"a","after":7}"#, .badRequest, 4),
      (#"{"type":"history","id":5,"channel":"a","limit":0}"#, .badRequest, 5),
      (#"{"type":"history","id":5,"channel":"a","limit":1001}"#, .badRequest, 5),
      (#"{"type":"history","id":5,"channel":"a","before":"start"}"#, .badCursor, 5),
      (#"{"type":"history","id":5,"channel":"a","since":"start","before":"k3f9x2ab.1"}"#, .badRequest, 5),
      (#"{"type":"token","id":6}"#, .badRequest, 6),
    ] as [(String, ErrorCode, Int64?)]
  )
  func saysWhatIsWrongAndEchoesTheNumber(_ text: String, _ code: ErrorCode, _ id: Int64?) {
    let error = #expect(throws: ClientRequestError.self) {
      try ClientRequest(parsing: ByteBuffer(string: text))
    }
    #expect(error?.error.code == code)
    #expect(error?.id == id)
  }

  @Test func keysAndChannelsHaveTheirLongest() throws {
    func publish(key: Int) -> ByteBuffer {
      ByteBuffer(
        string: #"{"type":"publish","channel":"a","data":1,"key":"\#(String(repeating: "k", count: key))"}"#
      )
    }
    #expect(throws: Never.self) { try ClientRequest(parsing: publish(key: 256)) }
    #expect(throws: ClientRequestError.self) { try ClientRequest(parsing: publish(key: 257)) }
    let long = #"{"type":"subscribe","channel":"\#(String(repeating: "c", count: 129))"}"#
    #expect(throws: ClientRequestError.self) { try ClientRequest(parsing: ByteBuffer(string: long)) }
  }
}
