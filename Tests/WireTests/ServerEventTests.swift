import NIOCore
import Testing
import Wire

@Suite struct ServerEventTests {
  private static let lobby = ChannelName("room:lobby")!
  private static let data = ByteBuffer(string: #"{"text":"h\"i","n":[1,2.5]}"#)
  private static func cursor(_ offset: UInt64) -> Cursor { Cursor(Epoch("k3f9x2ab")!, offset) }
  private static let session = Session(user: nil)
  private static let adasSession = Session(user: "ada")
  private static let gap = Gap(from: cursor(3), to: cursor(9), reason: .trimmed)
  private static let ada = Member(id: "abc", user: "ada", info: ByteBuffer(string: #"{"c":1}"#), since: 5)
  private static let nobody = Member(id: "def", since: 6)

  private static let events: [ServerEvent] = [
    .welcome(session: session, node: "gateway-1", user: nil, heartbeat: 25),
    .welcome(session: adasSession, node: "gateway-2", user: "ada", heartbeat: 25),
    .subscribed(id: 1, channel: lobby, cursor: cursor(1041), resumed: true),
    .subscribed(id: nil, channel: lobby, cursor: nil, resumed: false),
    .unsubscribed(id: 2, channel: lobby),
    .message(channel: lobby, cursor: cursor(1042), data: data, user: "ada", time: 1_790_000_000_000),
    .message(channel: lobby, cursor: nil, data: ByteBuffer(string: "null"), user: nil, time: 1),
    .published(id: 3, channel: lobby, cursor: cursor(1)),
    .published(id: 3, channel: lobby, cursor: nil),
    .history(id: 4, channel: lobby, messages: [], cursor: cursor(0), gap: nil),
    .history(
      id: nil,
      channel: lobby,
      messages: [
        Message(cursor: cursor(10), data: data, user: nil, time: 7),
        Message(cursor: cursor(11), data: ByteBuffer(string: "1"), user: "b", time: 8),
      ],
      cursor: cursor(11),
      gap: gap
    ),
    .presence(
      id: 5,
      channel: lobby,
      page: PresencePage(members: [ada, nobody], count: 7, users: 3, next: "def")
    ),
    .presence(id: 5, channel: lobby, page: PresencePage(members: [], count: 0, users: 0, next: nil)),
    .join(channel: lobby, member: ada),
    .leave(channel: lobby, member: nobody),
    .gap(channel: lobby, gap),
    .gap(channel: lobby, Gap(from: cursor(1), to: cursor(0), reason: .reset)),
    .gap(channel: lobby, Gap(from: cursor(1), to: cursor(4), reason: .overflow)),
    .goaway(reason: "drain", reconnectAfterMS: 1_234),
    .refreshed(id: 6, expires: 1_790_000_000),
    .error(id: 7, ClientError(.unavailable, "the store does not answer")),
    .error(id: nil, ClientError(.badJSON, "not a JSON object: \"\n\"")),
    .pong(id: 8),
    .pong(id: nil),
  ]

  private static func written(_ event: ServerEvent) -> ByteBuffer {
    var buffer = ByteBuffer()
    event.write(into: &buffer)
    return buffer
  }

  @Test(arguments: events)
  func everyEventComesBackAsItWas(_ event: ServerEvent) throws {
    let text = Self.written(event)
    #expect(!text.readableBytesView.contains(0x0a))
    #expect(try JSONObject(text)["type"]?.string == event.name.description)
    let parsed = try ServerEvent(parsing: text)
    #expect(String(buffer: Self.written(parsed)) == String(buffer: text))
  }

  @Test func writesTheDocumentedExample() {
    let event = ServerEvent.message(
      channel: Self.lobby,
      cursor: Self.cursor(1042),
      data: ByteBuffer(string: #"{"text":"hi"}"#),
      user: "ada",
      time: 1_790_000_000_000
    )
    #expect(
      String(buffer: Self.written(event))
        == #"{"type":"message","channel":"room:lobby","cursor":"k3f9x2ab.1042","data":{"text":"hi"},"#
        + #""user":"ada","time":1790000000000}"#
    )
  }

  @Test func keepsTheValuesOfWhatItReads() throws {
    let text =
      #"{"type":"gap","reason":"reset","to":"bbbbbbbb.2","from":"aaaaaaaa.1","channel":"a","new":{}}"#
    guard case .gap(let channel, let gap) = try ServerEvent(parsing: ByteBuffer(string: text)) else {
      Issue.record("not read as a gap")
      return
    }
    #expect(channel.text == "a")
    #expect(gap == Gap(from: Cursor("aaaaaaaa.1")!, to: Cursor("bbbbbbbb.2")!, reason: .reset))
  }

  @Test(arguments: [
    "", "7", "{}", #"{"type":"dance"}"#, #"{"type":"message","channel":"a","cursor":"x","data":1,"time":1}"#,
    #"{"type":"message","channel":"a","cursor":"aaaaaaaa.1","time":1}"#,
    #"{"type":"message","channel":"a b","cursor":"aaaaaaaa.1","data":1,"time":1}"#,
    #"{"type":"subscribed","channel":"a","cursor":"aaaaaaaa.1"}"#,
    #"{"type":"gap","channel":"a","from":"aaaaaaaa.1","to":"aaaaaaaa.2","reason":"whim"}"#,
    #"{"type":"goaway","reason":"drain"}"#, #"{"type":"error","code":"whim","message":"x"}"#,
    #"{"type":"pong","id":"x"}"#, #"{"type":"welcome","session":"x","member":"y","node":"n","heartbeat":25}"#,
    #"{"type":"presence","channel":"a","members":[1],"count":1,"users":0}"#,
  ])
  func refusesWhatNoNodeSends(_ text: String) {
    #expect(throws: ServerEventError.self) { try ServerEvent(parsing: ByteBuffer(string: text)) }
  }

  @Test func everyErrorHasItsRule() {
    for code in ErrorCode.allCases {
      #expect((400..<600).contains(code.rule.httpStatus))
      #expect((code.rule.retryAfterMS != nil) == [429, 503].contains(code.rule.httpStatus))
    }
    #expect(ErrorCode.unauthorized.rule.closeCode == .badToken)
    #expect(ErrorCode.tokenExpired.rule.closeCode == .tokenExpired)
    #expect(ErrorCode.forbidden.rule.closeCode == .forbidden)
    #expect(ErrorCode.draining.rule.closeCode == .drain)
    #expect(ErrorCode.overloaded.rule.closeCode == .overload)
  }
}
