import NIOCore
import NIOHTTP1
import NIOPosix
import SluiceClient
import Testing
import Wire

/// A WebSocket as a test uses it.
final class Socket: Sendable {
  enum Arrival: Sendable {
    case opened(HandshakeAnswer)
    case event(ServerEvent)
    /// A text that is no event.
    case text(String)
    case binary(ByteBuffer)
    case ping
    case pong(ByteBuffer)
    case closed(WebSocketConnection.Closure)
  }

  let connection: Confined<WebSocketConnection>
  let arrivals = Inbox<Arrival>()

  /// Connects, or fails to; either is the first arrival. With `parsing` false, as the echo wants it, texts are left as they are.
  init(
    to endpoint: Endpoint,
    path: String = "/v1/socket",
    headers: HTTPHeaders = [:],
    parsing: Bool = true,
    maximumMessageSize: Int = 1 << 20
  ) async throws {
    let arrivals = arrivals
    connection = try await Confined(on: MultiThreadedEventLoopGroup.singleton.any()) { loop in
      WebSocketConnection(
        to: endpoint,
        path: path,
        headers: headers,
        maximumMessageSize: maximumMessageSize,
        on: loop
      ) { event in
        switch event {
        case .opened(let answer): arrivals.append(.opened(answer))
        case .text(let text):
          if parsing, let event = try? ServerEvent(parsing: text) {
            arrivals.append(.event(event))
          } else {
            arrivals.append(.text(String(buffer: text)))
          }
        case .binary(let bytes): arrivals.append(.binary(bytes))
        case .ping: arrivals.append(.ping)
        case .pong(let payload): arrivals.append(.pong(payload))
        case .closed(let closure): arrivals.append(.closed(closure))
        }
      }
    }
    _ = try await arrivals.first("an answer to a handshake") { _ in true }
  }

  struct Welcome: Sendable {
    let session: Session
    let node: String
    let heartbeat: Int
  }

  func opened() async throws -> HandshakeAnswer {
    try await arrivals.first("an open WebSocket") {
      switch $0 {
      case .opened(let answer): answer
      default: nil
      }
    }
  }

  func welcome() async throws -> Welcome {
    try await event("welcome") {
      if case .welcome(let session, let node, _, let heartbeat) = $0 {
        Welcome(session: session, node: node, heartbeat: heartbeat)
      } else {
        nil
      }
    }
  }

  func send(_ id: Int64? = nil, _ command: ClientCommand) {
    connection.use(soon: { $0.send(ClientRequest(id: id, command)) })
  }

  func send(text: String) {
    connection.use(soon: { $0.send(text: ByteBuffer(string: text)) })
  }

  func send(raw bytes: [UInt8]) {
    connection.use(soon: { $0.send(raw: ByteBuffer(bytes: bytes)) })
  }

  /// Subscribes and waits for the answer, whose cursor it gives back.
  @discardableResult
  func subscribe(
    _ channel: String,
    since: Since? = nil,
    presence: PresenceWish? = nil,
    id: Int64 = 1
  ) async throws -> Cursor? {
    let channel = try #require(ChannelName(channel))
    send(id, .subscribe(channel: channel, since: since, presence: presence))
    return try await event("subscribed \(channel)") { event -> Cursor?? in
      guard case .subscribed(id, channel, let cursor, _) = event else { return nil }
      return .some(cursor)
    }
  }

  func event<Found: Sendable>(
    _ what: String,
    within limit: Duration = .seconds(20),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ pick: (ServerEvent) -> Found?
  ) async throws -> Found {
    try await arrivals.first(what, within: limit, sourceLocation: sourceLocation) {
      if case .event(let event) = $0 { pick(event) } else { nil }
    }
  }

  /// The error with this number, or the first without one.
  func error(_ id: Int64? = nil, within limit: Duration = .seconds(20)) async throws -> ClientError {
    try await event("an error", within: limit) {
      if case .error(id, let error) = $0 { error } else { nil }
    }
  }

  func message(_ data: String, within limit: Duration = .seconds(20)) async throws {
    _ = try await event("the message \(data)", within: limit) {
      if case .message(_, _, ByteBuffer(string: data), _, _) = $0 { true } else { nil }
    }
  }

  func closure(within limit: Duration = .seconds(20)) async throws -> WebSocketConnection.Closure {
    try await arrivals.first("the end of a WebSocket", within: limit) {
      if case .closed(let closure) = $0 { closure } else { nil }
    }
  }

  /// The code of the server's close frame.
  func closeCode(within limit: Duration = .seconds(20)) async throws -> UInt16? {
    guard case .closed(let code, _) = try await closure(within: limit) else { return nil }
    return code
  }

  var isClosed: Bool {
    arrivals.all.contains { if case .closed = $0 { true } else { false } }
  }

  var events: [ServerEvent] {
    arrivals.all.compactMap { if case .event(let event) = $0 { event } else { nil } }
  }

  func close() {
    connection.use(soon: { $0.close() })
  }

  func abort() {
    connection.use(soon: { $0.abort() })
  }
}
