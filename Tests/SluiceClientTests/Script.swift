import Framing
import NIOCore
import SluiceClient
import Wire

/// What a scripted server says: the words of a node about one channel.
enum Script {
  static let room = ChannelName("room:a")!
  static let session = Session(user: nil)
  /// So that nothing waits for long.
  static let backoff = Backoff(
    floor: .milliseconds(1),
    base: .milliseconds(5),
    ceiling: .seconds(2),
    rest: .zero,
    spread: .zero
  )

  static func cursor(_ offset: UInt64) -> Cursor { Cursor(Epoch("aaaaaaaa")!, offset) }

  static func json(_ event: ServerEvent) -> String {
    var buffer = ByteBuffer()
    event.write(into: &buffer)
    return String(buffer: buffer)
  }

  static func welcome(_ node: String) -> String {
    json(.welcome(session: session, node: node, user: nil, heartbeat: 25))
  }

  static func message(_ offset: UInt64, in channel: ChannelName = room) -> String {
    let data = ByteBuffer(string: "{\"n\":\(offset)}")
    return json(.message(channel: channel, cursor: cursor(offset), data: data, user: nil, time: 1))
  }

  static func subscribed(
    _ offset: UInt64,
    id: Int64 = 1,
    in channel: ChannelName = room,
    resumed: Bool = false
  ) -> String {
    json(.subscribed(id: id, channel: channel, cursor: cursor(offset), resumed: resumed))
  }

  static let streamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"

  static func sse(_ name: String?, _ id: String, _ json: String) -> String {
    (name.map { "event: \($0)\n" } ?? "") + "id: \(id)\ndata: \(json)\n\n"
  }

  /// One answer that leaves the connection open.
  static func answer(_ status: String, _ body: String = "", headers: String = "") -> String {
    "HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  static func poll(_ offset: UInt64, _ events: [String] = [], headers: String = "") -> String {
    let set = "\(room)@\(cursor(offset))"
    let body = "{\"cursor\":\"\(set)\",\"events\":[\(events.joined(separator: ","))]}"
    return answer("200 OK", body, headers: headers + "ETag: \"\(set)\"\r\n")
  }

  static func problem(_ status: String, _ code: ErrorCode, headers: String = "") -> String {
    let body = "{\"status\":\(status.prefix(3)),\"code\":\"\(code.rawValue)\",\"detail\":\"so it is\"}"
    return answer(status, body, headers: "Content-Type: application/problem+json\r\n" + headers)
  }
}

extension ScriptedServer.Peer {
  /// The next command of a WebSocket's client.
  func command() async throws -> ClientRequest {
    while true {
      if case .message(.text, let text) = try await frame() { return try ClientRequest(parsing: text) }
    }
  }

  /// The first line of the next request, and all of its head.
  func request() async throws -> (line: String, head: String) {
    let head = try await text(to: "\r\n\r\n")
    return (String(head.prefix { $0 != "\r\n" }), head)
  }
}

extension ScriptedServer {
  /// A client of this server.
  func sluice(_ shape: (inout Sluice.Options) -> Void = { _ in }) throws -> Sluice {
    var options = Sluice.Options()
    options.backoff = Script.backoff
    shape(&options)
    return try Sluice("http://127.0.0.1:\(endpoint.port)", options: options)
  }

  /// Its first connection, a WebSocket that has subscribed the room at 4.
  func socket() async throws -> Peer {
    let peer = try await peer(0)
    _ = try await peer.acceptWebSocket()
    peer.sayText(Script.welcome("one"))
    _ = try await peer.command()
    peer.sayText(Script.subscribed(4))
    return peer
  }
}

/// Something else came.
struct Unexpected: Error {}
