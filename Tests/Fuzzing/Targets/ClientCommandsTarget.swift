import NIOCore
import Wire

extension FuzzTarget {
  /// What a client says over a WebSocket.
  static let clientCommands = FuzzTarget(
    "client-commands",
    longest: 1_000,
    words: [
      #"{"type":"#, #""subscribe""#, #""unsubscribe""#, #""publish""#, #""presence""#, #""history""#,
      #""token""#,
      #""ping""#, #","id":"#, #","channel":"#, #","since":"#, #","before":"#, #","after":"#, #","limit":"#,
      #","data":"#, #","key":"#, #""start""#, #""abcdefgh.1""#, #""join""#, #""watch""#, "null",
      "9007199254740993",
      "1e3", "-0", #"\u0041"#, #"\ud83d\ude00"#, #"\ud800"#, "}",
      // To Unicode what follows is a part of it.
      "\u{600}", "\u{600}\\",
    ]
  ) { input in
    let request: ClientRequest
    do throws(ClientRequestError) {
      request = try ClientRequest(parsing: ByteBuffer(bytes: input))
    } catch {
      try demand(!error.error.message.isEmpty, "an error without a word")
      return
    }
    switch request.command {
    case .subscribe(let channel, let since, _):
      try channel.demandIsChannel()
      if case .cursor(let cursor) = since { try cursor.demandIsCursor() }
    case .unsubscribe(let channel): try channel.demandIsChannel()
    case .publish(let channel, let data, let key):
      try channel.demandIsChannel()
      try demand(ReferenceJSON.isValue(data.readableBytesView), "data that is no JSON")
      try demand(key.map { (1...ClientRequest.maximumKeyLength).contains($0.utf8.count) } ?? true, "a key")
    case .presence(let channel, let limit, _):
      try channel.demandIsChannel()
      try demand(limit.map((1...1_000).contains) ?? true, "a limit")
    case .history(let channel, let range, let limit):
      try channel.demandIsChannel()
      try demand(limit.map((1...1_000).contains) ?? true, "a limit")
      if case .before(let cursor) = range { try cursor.demandIsCursor() }
    case .token, .ping: break
    }
    var text = ByteBuffer()
    request.write(into: &text)
    try demandSame(try ClientRequest(parsing: text), request, "written, it is read as another")
  }
}
